package tenon.io.build;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * A file of the IDX format (LeCun's MNIST page) with unsigned bytes, plain or gzip: two zero bytes, type 0x08, number of dimensions, each
 * dimension as 32-bit big-endian, then the elements in row-major order. An item is what belongs to one index of the first dimension; a plain file is
 * read item by item, a gzip file is unpacked into memory. Nothing is allocated from the header's numbers before they are compared with what the file can
 * hold. Several threads may read.
 */
final class IdxFile implements AutoCloseable {
    /** Deflate expands at most 1032 times (RFC 1951 encoders reach 258 bytes from 2 bits). */
    private static final long MAX_EXPANSION = 1032;

    private static final int MAX_RANK = 4;
    private static final int UNSIGNED_BYTE = 0x08;

    private final Path path;
    private final int[] dims;
    private final int itemBytes;
    /** Of a plain file. */
    private final FileChannel channel;
    /** Of a gzip file. */
    private final List<byte[]> unpacked;

    IdxFile(Path path, int rank) {
        this.path = path;
        try (InputStream file = new BufferedInputStream(Files.newInputStream(path), 1 << 16)) {
            long fileBytes = Files.size(path);
            file.mark(2);
            boolean gzip = file.read() == 0x1F && file.read() == 0x8B;
            file.reset();
            try (InputStream in = gzip ? new BufferedInputStream(new GZIPInputStream(file, 1 << 16), 1 << 16) : file) {
                dims = readHeader(in, rank, gzip ? fileBytes * MAX_EXPANSION : fileBytes);
                itemBytes = itemBytes(dims);
                unpacked = gzip ? unpack(in) : null;
            }
            channel = gzip ? null : FileChannel.open(path, StandardOpenOption.READ);
            if (!gzip) {
                checkLength(fileBytes - headerBytes());
            }
        } catch (NoSuchFileException e) {
            throw new BuildException("idx file " + path + ": there is no such file", e);
        } catch (EOFException | ZipException e) {
            throw damaged(0, e);
        } catch (IOException e) {
            throw new BuildException("idx file " + path + ": cannot be read: " + e, e);
        }
    }

    private int[] readHeader(InputStream in, int rank, long mostBytes) throws IOException {
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

    private int itemBytes(int[] sizes) {
        long size = 1;
        for (int i = 1; i < sizes.length; i++) {
            size *= sizes[i];
            check(size <= Integer.MAX_VALUE / 2, "an item must have less than 2^30 bytes: " + Arrays.toString(sizes));
        }
        return (int) size;
    }

    private int headerBytes() {
        return 4 + 4 * dims.length;
    }

    /** Grows with what is really there, not with what the header promises. */
    private List<byte[]> unpack(InputStream in) {
        List<byte[]> items = new ArrayList<>();
        try {
            while (items.size() < dims[0]) {
                byte[] item = in.readNBytes(itemBytes);
                if (item.length < itemBytes) {
                    throw new EOFException("the file ends early");
                }
                items.add(item);
            }
            check(in.read() < 0, "the file goes on after its " + dims[0] + " items");
        } catch (IOException e) {
            throw damaged(items.size(), e);
        }
        return items;
    }

    private void checkLength(long dataBytes) throws IOException {
        long wanted = (long) dims[0] * itemBytes;
        if (dataBytes < wanted) {
            channel.close();
            throw damaged((int) (dataBytes / itemBytes), new EOFException("the file ends early"));
        }
        if (dataBytes > wanted) {
            channel.close();
            check(false, "the file goes on after its " + dims[0] + " items");
        }
    }

    private void check(boolean holds, String what) {
        if (!holds) {
            throw new BuildException("idx file " + path + ": " + what);
        }
    }

    private BuildException damaged(int item, IOException e) {
        return new BuildException(
                "idx file " + path + ": the file is truncated or damaged at item " + item + ": " + e.getMessage()
                        + " (fetch it again)",
                e);
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
        return itemBytes;
    }

    byte[] item(int i) {
        if (unpacked != null) {
            return unpacked.get(i);
        }
        ByteBuffer buffer = ByteBuffer.allocate(itemBytes);
        long start = headerBytes() + (long) i * itemBytes;
        try {
            while (buffer.hasRemaining()) {
                if (channel.read(buffer, start + buffer.position()) < 0) {
                    throw new EOFException("the file shrank");
                }
            }
        } catch (IOException e) {
            throw damaged(i, e);
        }
        return buffer.array();
    }

    @Override
    public void close() {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException _) {
            // Nothing was written.
        }
    }
}
