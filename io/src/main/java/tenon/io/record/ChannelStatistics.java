package tenon.io.record;

import java.util.ArrayList;
import java.util.List;

/** Sums of pixel values and their squares per channel: exact in 64 bits up to 2^47 pixels. */
final class ChannelStatistics {
    private final long[] sums;
    private final long[] squares;
    private long pixelCount;

    ChannelStatistics(int channels) {
        sums = new long[channels];
        squares = new long[channels];
    }

    /** @param pixels H·W·C bytes */
    void add(byte[] pixels) {
        int channels = sums.length;
        for (int c = 0; c < channels; c++) {
            long sum = 0;
            long square = 0;
            for (int i = c; i < pixels.length; i += channels) {
                int v = pixels[i] & 0xFF;
                sum += v;
                square += v * v;
            }
            sums[c] += sum;
            squares[c] += square;
        }
        pixelCount += pixels.length / channels;
    }

    List<Double> means() {
        List<Double> means = new ArrayList<>();
        for (long sum : sums) {
            means.add((double) sum / pixelCount);
        }
        return means;
    }

    List<Double> stds() {
        List<Double> stds = new ArrayList<>();
        for (int c = 0; c < sums.length; c++) {
            double mean = (double) sums[c] / pixelCount;
            stds.add(Math.sqrt(Math.max(0, (double) squares[c] / pixelCount - mean * mean)));
        }
        return stds;
    }
}
