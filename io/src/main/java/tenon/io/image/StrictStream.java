package tenon.io.image;

import java.io.IOException;
import javax.imageio.IIOException;
import javax.imageio.stream.ImageInputStreamImpl;

/**
 * Bytes whose end is an error instead of an end: some readers take the end of a damaged file for more data and go on for minutes. Files for it are padded, because readers
 * look a few bytes ahead.
 */
final class StrictStream extends ImageInputStreamImpl {
    private final byte[] bytes;

    StrictStream(byte[] bytes) {
        this.bytes = bytes;
    }

    private void checkEnd() throws IOException {
        if (streamPos >= bytes.length) {
            throw new IIOException("its data end too early");
        }
    }

    @Override
    public int read() throws IOException {
        checkEnd();
        bitOffset = 0;
        return bytes[(int) streamPos++] & 0xFF;
    }

    @Override
    public int read(byte[] to, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        checkEnd();
        bitOffset = 0;
        int count = (int) Math.min(length, bytes.length - streamPos);
        System.arraycopy(bytes, (int) streamPos, to, offset, count);
        streamPos += count;
        return count;
    }

    @Override
    public long length() {
        return bytes.length;
    }
}
