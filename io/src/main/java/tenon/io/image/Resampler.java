package tenon.io.image;

/**
 * One resize. Each output row is first summed over input rows, then over columns: in this order the gathering of
 * columns is done for output rows only. Rounding happens once.
 */
final class Resampler {
    private static final boolean VECTORS =
            ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
                    && !"false".equals(System.getProperty("tenon.vector"));

    private final Image image;
    private final ResampleAxis across;
    private final ResampleAxis down;
    private final int channels;
    private final int width;
    private final int height;
    /** The input rows of one output row, weighted and summed. */
    private final float[] sum;

    Resampler(Image image, ResampleAxis across, ResampleAxis down) {
        this.image = image;
        this.across = across;
        this.down = down;
        channels = image.channels();
        width = across.first().length;
        height = down.first().length;
        sum = new float[image.width() * channels];
    }

    Image run() {
        byte[] out = new byte[Math.multiplyExact(Math.multiplyExact(width, height), channels)];
        for (int y = 0; y < height; y++) {
            sumRows(y);
            if (channels == 3) {
                sumColors(out, y * width * 3);
            } else {
                sumColumns(out, y * width * channels);
            }
        }
        return new Image(width, height, channels, out);
    }

    private void sumRows(int y) {
        int taps = down.taps();
        int from = down.first()[y] * sum.length;
        int w = y * taps;
        byte[] pixels = image.pixels();
        float[] weights = down.weights();
        if (taps == 1) {
            setRow(pixels, from);
            return;
        }
        setRows(pixels, from, weights[w], weights[w + 1]);
        for (int t = 2; t < taps; t++) {
            if (weights[w + t] != 0) {
                addRow(pixels, from + t * sum.length, weights[w + t]);
            }
        }
    }

    private void setRow(byte[] pixels, int from) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] = pixels[from + i] & 0xFF;
        }
    }

    private void setRows(byte[] pixels, int from, float upper, float lower) {
        float[] to = sum;
        int next = from + to.length;
        int done = VECTORS ? VectorRows.set(to, pixels, from, upper, lower) : 0;
        for (int i = done; i < to.length; i++) {
            to[i] = upper * (pixels[from + i] & 0xFF) + lower * (pixels[next + i] & 0xFF);
        }
    }

    private void addRow(byte[] pixels, int from, float weight) {
        float[] to = sum;
        int done = VECTORS ? VectorRows.add(to, pixels, from, weight) : 0;
        for (int i = done; i < to.length; i++) {
            to[i] += weight * (pixels[from + i] & 0xFF);
        }
    }

    private void sumColors(byte[] out, int to) {
        int[] first = across.first();
        float[] weights = across.weights();
        int taps = across.taps();
        float[] row = sum;
        int o = to;
        int w = 0;
        for (int start : first) {
            float r = 0.5f;
            float g = 0.5f;
            float b = 0.5f;
            int i = 3 * start;
            for (int t = 0; t < taps; t++) {
                float weight = weights[w++];
                r += weight * row[i];
                g += weight * row[i + 1];
                b += weight * row[i + 2];
                i += 3;
            }
            out[o] = toByte(r);
            out[o + 1] = toByte(g);
            out[o + 2] = toByte(b);
            o += 3;
        }
    }

    private void sumColumns(byte[] out, int to) {
        int taps = across.taps();
        for (int x = 0; x < width; x++) {
            for (int c = 0; c < channels; c++) {
                float value = 0.5f;
                for (int t = 0; t < taps; t++) {
                    value += across.weights()[x * taps + t] * sum[(across.first()[x] + t) * channels + c];
                }
                out[to + x * channels + c] = toByte(value);
            }
        }
    }

    /** The fraction is cut off: 0.5 has been added. Kernels with negative weights leave the range. */
    private static byte toByte(float value) {
        return (byte) Math.clamp((int) value, 0, 255);
    }
}
