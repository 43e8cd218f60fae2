package tenon.io.mxnet;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/** Writes RecordIO records to a stream. */
final class RecordIoWriter {
    private final OutputStream out;
    private final ByteBuffer header =
            ByteBuffer.allocate(RecordIo.PART_HEADER_BYTES).order(RecordIo.ORDER);
    private long position;

    RecordIoWriter(OutputStream out) {
        this.out = out;
    }

    /** Bytes written so far: where the next record begins. */
    long position() {
        return position;
    }

    /**
     * Writes a record.
     *
     * @throws IllegalArgumentException when it has 2^29 bytes or more
     */
    void write(byte[] payload) throws IOException {
        if (payload.length > RecordIo.MAX_LENGTH) {
            throw new IllegalArgumentException(
                    "a RecordIO record must have less than 2^29 bytes: given=" + payload.length);
        }
        ByteBuffer words = ByteBuffer.wrap(payload).order(RecordIo.ORDER);
        int start = 0;
        for (int at = 0; at + Integer.BYTES <= payload.length; at += Integer.BYTES) {
            if (words.getInt(at) == RecordIo.MAGIC) {
                part(start == 0 ? RecordIo.FIRST : RecordIo.MIDDLE, payload, start, at - start);
                start = at + Integer.BYTES;
            }
        }
        part(start == 0 ? RecordIo.WHOLE : RecordIo.LAST, payload, start, payload.length - start);
    }

    private void part(int flag, byte[] payload, int start, int length) throws IOException {
        header.putInt(0, RecordIo.MAGIC).putInt(4, RecordIo.word(flag, length));
        out.write(header.array());
        out.write(payload, start, length);
        for (int i = 0; i < RecordIo.padding(length); i++) {
            out.write(0);
        }
        position += RecordIo.PART_HEADER_BYTES + (long) length + RecordIo.padding(length);
    }
}
