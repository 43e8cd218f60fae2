package tenon.io.image;

/**
 * An image in memory: bytes 0…255 in H, W, C order. One channel is grey, three are R, G, B, four are R, G, B and opacity (255 is opaque; colours
 * are not multiplied by it).
 *
 * @param pixels height·width·channels bytes; not copied
 */
public record Image(int width, int height, int channels, byte[] pixels) {
    public Image {
        if (width < 1 || height < 1 || !isChannelCount(channels) || (long) width * height * channels != pixels.length) {
            throw new ImageException(
                    "image: pixels must have width·height·channels bytes, channels being 1, 3 or 4: width=" + width
                            + ", height=" + height + ", channels=" + channels + ", bytes=" + pixels.length);
        }
    }

    /** Whether images have this number of channels: 1, 3 or 4. */
    public static boolean isChannelCount(int channels) {
        return channels == 1 || channels == 3 || channels == 4;
    }

    /** The value 0…255 of one channel of one pixel. */
    public int value(int x, int y, int channel) {
        return pixels[(y * width + x) * channels + channel] & 0xFF;
    }

    /**
     * This image with the given number of channels: grey is repeated, colour becomes luma 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), opacity is
     * dropped, or 255 where there was none.
     */
    public Image withChannels(int wanted) {
        if (wanted == channels) {
            return this;
        }
        if (!isChannelCount(wanted)) {
            throw new ImageException("image: channels must be 1, 3 or 4: wanted=" + wanted);
        }
        int count = width * height;
        byte[] out = new byte[Math.multiplyExact(count, wanted)];
        int i = 0;
        for (int o = 0; o < out.length; o += wanted) {
            byte r = pixels[i];
            byte g = channels == 1 ? r : pixels[i + 1];
            byte b = channels == 1 ? r : pixels[i + 2];
            i += channels;
            if (wanted == 1) {
                out[o] = (byte) ((299 * (r & 0xFF) + 587 * (g & 0xFF) + 114 * (b & 0xFF) + 500) / 1000);
                continue;
            }
            out[o] = r;
            out[o + 1] = g;
            out[o + 2] = b;
            if (wanted == 4) {
                out[o + 3] = (byte) 0xFF;
            }
        }
        return new Image(width, height, wanted, out);
    }

    /** The part of the image whose upper left pixel is (x, y). */
    public Image crop(int x, int y, int partWidth, int partHeight) {
        if (x < 0 || y < 0 || partWidth < 1 || partHeight < 1 || x > width - partWidth || y > height - partHeight) {
            throw new ImageException("image: the part must lie in the image: x=" + x + ", y=" + y + ", width="
                    + partWidth + ", height=" + partHeight + " of " + width + "×" + height);
        }
        if (partWidth == width && partHeight == height) {
            return this;
        }
        byte[] out = new byte[partWidth * partHeight * channels];
        for (int row = 0; row < partHeight; row++) {
            System.arraycopy(
                    pixels, ((y + row) * width + x) * channels, out, row * partWidth * channels, partWidth * channels);
        }
        return new Image(partWidth, partHeight, channels, out);
    }
}
