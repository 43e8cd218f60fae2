package tenon.io.mxnet;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import tenon.io.build.BuildException;

/**
 * The records of a RecordIO file. Opening walks over the parts' headers, so that every length is known to lie in the file before anything is allocated
 * for it. Several threads may read.
 */
final class RecordIoReader implements AutoCloseable {
    private final Path path;
    private final FileChannel channel;
    private final long fileBytes;
    private long[] offsets = new long[1024];
    private int[] lengths = new int[1024];
    private int count;

    /**
     * Opens a file.
     *
     * @throws BuildException naming the offset where the file is not what a RecordIO file must be
     */
    RecordIoReader(Path path) {
        this.path = path;
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ);
        } catch (NoSuchFileException e) {
            throw new BuildException("mxnet record file " + path + ": there is no such file", e);
        } catch (IOException e) {
            throw unreadable(e);
        }
        try {
            fileBytes = channel.size();
            scan();
        } catch (IOException e) {
            close();
            throw unreadable(e);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private void scan() throws IOException {
        long at = 0;
        while (at < fileBytes) {
            long start = at;
            long length = 0;
            boolean begins = true;
            boolean ends = false;
            while (!ends) {
                int word = partWord(at);
                int flag = RecordIo.flag(word);
                check(
                        flag <= RecordIo.LAST && begins == (flag == RecordIo.WHOLE || flag == RecordIo.FIRST),
                        at,
                        begins
                                ? "a record begins with a later part"
                                : "a record is not finished before the next begins");
                ends = flag == RecordIo.WHOLE || flag == RecordIo.LAST;
                length += RecordIo.length(word) + (ends ? 0 : Integer.BYTES);
                check(length <= RecordIo.MAX_LENGTH, start, "the record has 2^29 bytes or more");
                at += partBytes(word);
                begins = false;
            }
            add(start, (int) length);
        }
    }

    private void add(long offset, int length) {
        check(count < Integer.MAX_VALUE - 16, offset, "there are 2^31 records or more");
        if (count == offsets.length) {
            offsets = Arrays.copyOf(offsets, 2 * count);
            lengths = Arrays.copyOf(lengths, 2 * count);
        }
        offsets[count] = offset;
        lengths[count++] = length;
    }

    /** Checks that a part is there, and returns its flag and length. */
    private int partWord(long at) throws IOException {
        check(fileBytes - at >= RecordIo.PART_HEADER_BYTES, at, "the file ends inside a record");
        ByteBuffer header = read(at, RecordIo.PART_HEADER_BYTES);
        check(
                header.getInt(0) == RecordIo.MAGIC,
                at,
                String.format("the magic number 0x%08X is missing: found=0x%08X", RecordIo.MAGIC, header.getInt(0)));
        int word = header.getInt(4);
        check(
                partBytes(word) <= fileBytes - at,
                at,
                "the file ends inside a record: bytes wanted=" + partBytes(word) + ", there=" + (fileBytes - at));
        return word;
    }

    private static long partBytes(int word) {
        int length = RecordIo.length(word);
        return RecordIo.PART_HEADER_BYTES + (long) length + RecordIo.padding(length);
    }

    private void check(boolean holds, long offset, String problem) {
        if (!holds) {
            throw new BuildException("mxnet record file " + path + ": offset " + offset + ": " + problem
                    + " (is it a .rec file, and complete?)");
        }
    }

    private BuildException unreadable(IOException e) {
        return new BuildException("mxnet record file " + path + ": cannot be read: " + e, e);
    }

    private ByteBuffer read(long at, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(RecordIo.ORDER);
        read(at, buffer);
        return buffer.flip();
    }

    private void read(long at, ByteBuffer into) throws IOException {
        long next = at;
        while (into.hasRemaining()) {
            int n = channel.read(into, next);
            if (n < 0) {
                throw new EOFException("the file ends at " + next);
            }
            next += n;
        }
    }

    Path path() {
        return path;
    }

    int count() {
        return count;
    }

    long offset(int record) {
        return offsets[record];
    }

    /** Bytes of a record's payload. */
    int length(int record) {
        return lengths[record];
    }

    /** Number of the record that begins at an offset, or −1. */
    int recordAt(long offset) {
        int at = Arrays.binarySearch(offsets, 0, count, offset);
        return at < 0 ? -1 : at;
    }

    /** The first bytes of a record's payload, at most {@code most}, with the parts joined. */
    byte[] read(int record, int most) throws IOException {
        byte[] payload = new byte[Math.min(most, lengths[record])];
        ByteBuffer into = ByteBuffer.wrap(payload).order(RecordIo.ORDER);
        long at = offsets[record];
        while (true) {
            // Checked again: the file may have changed since it was scanned.
            int word = partWord(at);
            into.limit(into.position() + Math.min(RecordIo.length(word), into.remaining()));
            read(at + RecordIo.PART_HEADER_BYTES, into);
            into.limit(payload.length);
            for (int i = 0; i < Integer.BYTES && into.hasRemaining(); i++) {
                into.put((byte) (RecordIo.MAGIC >>> 8 * i));
            }
            if (!into.hasRemaining()) {
                return payload;
            }
            int flag = RecordIo.flag(word);
            check(flag == RecordIo.FIRST || flag == RecordIo.MIDDLE, at, "the file has changed since it was opened");
            at += partBytes(word);
        }
    }

    /** A record's payload with its parts joined. */
    byte[] read(int record) throws IOException {
        return read(record, Integer.MAX_VALUE);
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException _) {
            // Nothing was written.
        }
    }
}
