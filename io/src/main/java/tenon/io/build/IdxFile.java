package tenon.io.build;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * A file of the IDX format (LeCun's MNIST page) with unsigned bytes, plain or gzip: two zero bytes, type 0x08, number of dimensions, each
 * dimension as 32-bit big-endian, then the elements in row-major order. Read from front to back, one item (index of the first dimension) at
 * a time. Nothing is allocated from the header's numbers before they are compared with what the file can hold.
 */
final class IdxFile implements AutoCloseable {
    /** Deflate expands at most 1032 times (RFC 1951 encoders reach 258 bytes from 2 bits). */
    private static final long MAX_EXPANSION = 1032;

    private static final int MAX_RANK = 4;
    private static final int UNSIGNED_BYTE = 0x08;

    private final Path path;
    private final InputStream in;
    private final int[] dims;
    private int itemsRead;

    IdxFile(Path path, int rank) {
        this.path = path;
        InputStream opened = null;
        try {
            long fileBytes = Files.size(path);
            opened = new BufferedInputStream(Files.newInputStream(path), 1 << 16);
            opened.mark(2);
            boolean gzip = opened.read() == 0x1F && opened.read() == 0x8B;
            opened.reset();
            in = gzip ? new BufferedInputStream(new GZIPInputStream(opened, 1 << 16), 1 << 16) : opened;
            dims = readHeader(rank, gzip ? fileBytes * MAX_EXPANSION : fileBytes);
        } catch (NoSuchFileException e) {
            throw new BuildException("idx file " + path + ": there is no such file", e);
        } catch (EOFException | ZipException e) {
            closeQuietly(opened);
            throw damaged(e);
        } catch (IOException e) {
            closeQuietly(opened);
            throw new BuildException("idx file " + path + ": cannot be read: " + e, e);
        } catch (RuntimeException e) {
            closeQuietly(opened);
            throw e;
        }
    }

    private int[] readHeader(int rank, long mostBytes) throws IOException {
        byte[] magic = in.readNBytes(4);
        check(
                magic.length == 4 && magic[0] == 0 && magic[1] == 0 && magic[3] >= 1 && magic[3] <= MAX_RANK,
                "this is no IDX file: first bytes=" + Arrays.toString(magic) + ", wanted [0, 0, 8, dimensions]");
        check(magic[2] == UNSIGNED_BYTE, "elements must be unsigned bytes (type 8): type=" + magic[2]);
        check(
                magic[3] == rank,
                "number of dimensions must be " + rank + ": given=" + magic[3] + " (images and labels swapped?)");
        byte[] bytes = in.readNBytes(4 * rank);
        check(bytes.length == 4 * rank, "the file ends inside its header");
        int[] sizes = new int[rank];
        long elements = 1;
        for (int i = 0; i < rank; i++) {
            sizes[i] = ByteBuffer.wrap(bytes).getInt(4 * i);
            check(sizes[i] > 0, "every dimension must be at least 1: dimension " + i + "=" + sizes[i]);
            check(
                    elements <= mostBytes / sizes[i],
                    "the dimensions " + Arrays.toString(sizes)
                            + " need more bytes than a file of this length can hold");
            elements *= sizes[i];
        }
        return sizes;
    }

    private void check(boolean holds, String what) {
        if (!holds) {
            throw new BuildException("idx file " + path + ": " + what);
        }
    }

    private BuildException damaged(IOException e) {
        return new BuildException(
                "idx file " + path + ": the file is truncated or damaged at item " + itemsRead + ": " + e.getMessage()
                        + " (fetch it again)",
                e);
    }

    private static void closeQuietly(InputStream opened) {
        try {
            if (opened != null) {
                opened.close();
            }
        } catch (IOException _) {
            // The error that led here is the one to report.
        }
    }

    Path path() {
        return path;
    }

    int itemCount() {
        return dims[0];
    }

    int dim(int i) {
        return dims[i];
    }

    int itemBytes() {
        int size = 1;
        for (int i = 1; i < dims.length; i++) {
            size = Math.multiplyExact(size, dims[i]);
        }
        return size;
    }

    /** The next item; after the last one, the end of the file is checked. */
    byte[] next() {
        try {
            byte[] item = in.readNBytes(itemBytes());
            if (item.length < itemBytes()) {
                throw new EOFException("the file ends early");
            }
            itemsRead++;
            if (itemsRead == dims[0]) {
                check(in.read() < 0, "the file goes on after its " + dims[0] + " items");
            }
            return item;
        } catch (IOException e) {
            throw damaged(e);
        }
    }

    @Override
    public void close() {
        closeQuietly(in);
    }
}
