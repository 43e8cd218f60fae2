package tenon.io.image;

import java.io.ByteArrayOutputStream;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Inflates zlib data up to a limit; what goes beyond is refused. */
final class Inflation implements AutoCloseable {
    enum State {
        NEEDS_MORE,
        ENDED,
        DAMAGED
    }

    private final ByteView file;
    private final String part;
    private final long limit;
    private final ByteArrayOutputStream out;
    private final Inflater inflater = new Inflater();
    private final byte[] buffer = new byte[1 << 14];

    /**
     * @param part for the message
     * @param out takes what comes out; null counts only
     */
    Inflation(ByteView file, String part, long limit, ByteArrayOutputStream out) {
        this.file = file;
        this.part = part;
        this.limit = limit;
        this.out = out;
    }

    /** Inflates the file's bytes from {@code from} to {@code to}. */
    State add(int from, int to) {
        inflater.setInput(file.array(), from, to - from);
        try {
            while (true) {
                int count = inflater.inflate(buffer);
                if (bytes() > limit) {
                    throw file.damaged(part + " must inflate to at most " + limit + " bytes, but there are more");
                }
                if (out != null) {
                    out.write(buffer, 0, count);
                }
                if (inflater.finished()) {
                    return State.ENDED;
                }
                if (count == 0) {
                    return inflater.needsDictionary() ? State.DAMAGED : State.NEEDS_MORE;
                }
            }
        } catch (DataFormatException e) {
            return State.DAMAGED;
        }
    }

    long bytes() {
        return inflater.getBytesWritten();
    }

    @Override
    public void close() {
        inflater.close();
    }
}
