package tenon.io.record;

import java.util.zip.CRC32C;

/** Reusable memory for one sample at a time: it grows to the largest one, and reading then allocates nothing. Confined to a thread. */
public final class SampleBuffer {
    final CRC32C crc = new CRC32C();
    byte[] bytes = new byte[0];
    int imageBytes;
    int labelBytes;

    /** The image at the front, {@link #imageBytes()} long; what follows is the label's and old data. Valid until the next read. */
    public byte[] bytes() {
        return bytes;
    }

    public int imageBytes() {
        return imageBytes;
    }

    public int labelBytes() {
        return labelBytes;
    }

    /** @param largest bytes of the largest sample that may follow: memory for more is never taken in advance */
    void resize(int image, int label, int largest) {
        imageBytes = image;
        labelBytes = label;
        int size = image + label;
        if (bytes.length < size) {
            bytes = new byte[Math.max(size, (int) Math.min(largest, bytes.length * 3L / 2))];
        }
    }
}
