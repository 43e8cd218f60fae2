package tenon.io.image;

/**
 * An image in memory: bytes 0…255 in H, W, C order, channels R, G, B or one grey channel.
 *
 * @param pixels height·width·channels bytes; not copied
 */
public record Image(int width, int height, int channels, byte[] pixels) {
    public Image {
        if (width < 1
                || height < 1
                || channels != 1 && channels != 3
                || (long) width * height * channels != pixels.length) {
            throw new ImageException(
                    "image: pixels must have width·height·channels bytes, channels being 1 or 3: width=" + width
                            + ", height=" + height + ", channels=" + channels + ", bytes=" + pixels.length);
        }
    }

    /** The value 0…255 of one channel of one pixel. */
    public int value(int x, int y, int channel) {
        return pixels[(y * width + x) * channels + channel] & 0xFF;
    }

    /** This image with the given number of channels: grey is repeated, colour becomes luma 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601). */
    public Image withChannels(int wanted) {
        if (wanted == channels) {
            return this;
        }
        if (wanted != 1 && wanted != 3) {
            throw new ImageException("image: channels must be 1 or 3: wanted=" + wanted);
        }
        int count = width * height;
        byte[] out = new byte[Math.multiplyExact(count, wanted)];
        for (int i = 0; i < count; i++) {
            if (wanted == 3) {
                out[3 * i] = pixels[i];
                out[3 * i + 1] = pixels[i];
                out[3 * i + 2] = pixels[i];
            } else {
                int r = pixels[3 * i] & 0xFF;
                int g = pixels[3 * i + 1] & 0xFF;
                int b = pixels[3 * i + 2] & 0xFF;
                out[i] = (byte) ((299 * r + 587 * g + 114 * b + 500) / 1000);
            }
        }
        return new Image(width, height, wanted, out);
    }
}
