package tenon.io.augment;

import tenon.engine.ShapeException;
import tenon.io.image.Image;

/** A reusable image of floats in H, W, C order with values 0…255. Its memory grows to the largest size asked for. */
public final class FloatImage {
    private int height;
    private int width;
    private int channels;
    private float[] values = new float[0];

    /** An image of the given size, contents undefined. */
    public FloatImage resize(int newHeight, int newWidth, int newChannels) {
        int size = Math.multiplyExact(Math.multiplyExact(newHeight, newWidth), newChannels);
        if (values.length < size) {
            values = new float[size];
        }
        height = newHeight;
        width = newWidth;
        channels = newChannels;
        return this;
    }

    /** An image with a copy of {@code values}. */
    public static FloatImage of(int height, int width, int channels, float... values) {
        FloatImage image = new FloatImage().resize(height, width, channels);
        if (values.length != image.size()) {
            throw new ShapeException("float image: values must be height·width·channels: wanted=" + image.size()
                    + ", given=" + values.length);
        }
        System.arraycopy(values, 0, image.values, 0, values.length);
        return image;
    }

    /** A copy. */
    public static FloatImage of(Image image) {
        FloatImage copy = new FloatImage().resize(image.height(), image.width(), image.channels());
        for (int i = 0; i < copy.size(); i++) {
            copy.values[i] = image.pixels()[i] & 0xFF;
        }
        return copy;
    }

    /** A copy in bytes: values are rounded and kept in 0…255. */
    public Image toImage() {
        byte[] pixels = new byte[size()];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) Math.clamp(Math.round(values[i]), 0, 255);
        }
        return new Image(width, height, channels, pixels);
    }

    public int height() {
        return height;
    }

    public int width() {
        return width;
    }

    public int channels() {
        return channels;
    }

    /** height·width·channels. */
    public int size() {
        return height * width * channels;
    }

    /** The values at the front, {@link #size()} many; the array may be longer. */
    public float[] values() {
        return values;
    }

    public float value(int y, int x, int channel) {
        return values[(y * width + x) * channels + channel];
    }
}
