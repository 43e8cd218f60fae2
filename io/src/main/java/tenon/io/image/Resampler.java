package tenon.io.image;

import java.util.Arrays;

/**
 * One resize: rows of the input are resampled horizontally when an output row first needs them, and kept as floats in a ring of as many rows as an output row
 * needs; the vertical sums are loops over whole rows, which the compiler vectorizes.
 */
final class Resampler {
    private final Image image;
    private final ResampleAxis across;
    private final ResampleAxis down;
    private final int channels;
    private final int rowLength;
    private final float[][] ring;
    private final int[] rowInRing;

    Resampler(Image image, ResampleAxis across, ResampleAxis down) {
        this.image = image;
        this.across = across;
        this.down = down;
        channels = image.channels();
        rowLength = across.first().length * channels;
        ring = new float[down.taps()][rowLength];
        rowInRing = new int[down.taps()];
        Arrays.fill(rowInRing, -1);
    }

    Image run() {
        int width = across.first().length;
        int height = down.first().length;
        byte[] out = new byte[Math.multiplyExact(Math.multiplyExact(width, height), channels)];
        float[] sum = new float[rowLength];
        int taps = down.taps();
        for (int y = 0; y < height; y++) {
            int first = down.first()[y];
            // 0.5 rounds to nearest when the fraction is cut off.
            Arrays.fill(sum, 0.5f);
            for (int t = 0; t < taps; t++) {
                float weight = down.weights()[y * taps + t];
                if (weight != 0) {
                    addScaled(sum, row(first + t), weight);
                }
            }
            toBytes(sum, out, y * rowLength);
        }
        return new Image(width, height, channels, out);
    }

    private static void addScaled(float[] sum, float[] row, float weight) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += weight * row[i];
        }
    }

    private static void toBytes(float[] sum, byte[] out, int at) {
        for (int i = 0; i < sum.length; i++) {
            out[at + i] = (byte) (int) Math.max(0f, Math.min(sum[i], 255f));
        }
    }

    private float[] row(int y) {
        int slot = y % ring.length;
        if (rowInRing[slot] != y) {
            rowInRing[slot] = y;
            if (across.taps() == 2) {
                twoTaps(y * image.width() * channels, ring[slot]);
            } else {
                manyTaps(y * image.width() * channels, ring[slot]);
            }
        }
        return ring[slot];
    }

    private void twoTaps(int from, float[] to) {
        byte[] in = image.pixels();
        int[] first = across.first();
        float[] weights = across.weights();
        int o = 0;
        for (int x = 0; x < first.length; x++) {
            int i = from + first[x] * channels;
            float left = weights[2 * x];
            float right = weights[2 * x + 1];
            for (int c = 0; c < channels; c++) {
                to[o++] = left * (in[i + c] & 0xFF) + right * (in[i + channels + c] & 0xFF);
            }
        }
    }

    private void manyTaps(int from, float[] to) {
        byte[] in = image.pixels();
        int[] first = across.first();
        float[] weights = across.weights();
        int taps = across.taps();
        int o = 0;
        for (int x = 0; x < first.length; x++) {
            int start = from + first[x] * channels;
            for (int c = 0; c < channels; c++) {
                float sum = 0;
                int i = start + c;
                for (int t = 0; t < taps; t++) {
                    sum += weights[x * taps + t] * (in[i] & 0xFF);
                    i += channels;
                }
                to[o++] = sum;
            }
        }
    }
}
