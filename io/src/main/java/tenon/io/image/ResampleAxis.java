package tenon.io.image;

import java.util.Arrays;

/**
 * What one direction of a resize takes from its input: output position i is the sum over t of {@code weights[i·taps + t]} · input
 * {@code first[i] + t}. All positions lie inside the input: weights of positions outside have been added to the border's.
 */
record ResampleAxis(int taps, int[] first, float[] weights) {

    /** @param areaEnlarges whether {@link Filter#AREA} must interpolate, because one of the two directions is enlarged */
    static ResampleAxis of(Filter filter, int from, int to, boolean areaEnlarges) {
        return switch (filter) {
            case NEAREST -> nearest(from, to);
            case BILINEAR -> kernel(from, to, 2, t -> 1 - Math.abs(t));
            case BICUBIC -> kernel(from, to, 4, ResampleAxis::cubic);
            case LANCZOS -> kernel(from, to, 8, ResampleAxis::lanczos);
            case AREA -> areaEnlarges ? areaEnlarging(from, to) : area(from, to);
        };
    }

    private interface Kernel {
        double at(double distance);
    }

    private static ResampleAxis nearest(int from, int to) {
        int[] first = new int[to];
        for (int i = 0; i < to; i++) {
            first[i] = (int) Math.min((long) i * from / to, from - 1);
        }
        float[] weights = new float[to];
        Arrays.fill(weights, 1);
        return new ResampleAxis(1, first, weights);
    }

    private static ResampleAxis kernel(int from, int to, int support, Kernel kernel) {
        double scale = (double) from / to;
        Builder axis = new Builder(from, to, support);
        double[] weights = new double[support];
        for (int i = 0; i < to; i++) {
            double centre = (i + 0.5) * scale - 0.5;
            int start = (int) Math.floor(centre) - support / 2 + 1;
            double sum = 0;
            for (int t = 0; t < support; t++) {
                weights[t] = kernel.at(start + t - centre);
                sum += weights[t];
            }
            for (int t = 0; t < support; t++) {
                axis.add(i, start, start + t, weights[t] / sum);
            }
        }
        return axis.build();
    }

    /** Keys' cubic convolution with a = −0.75. */
    private static double cubic(double distance) {
        double a = -0.75;
        double t = Math.abs(distance);
        if (t < 1) {
            return ((a + 2) * t - (a + 3)) * t * t + 1;
        }
        return t < 2 ? a * (((t - 5) * t + 8) * t - 4) : 0;
    }

    private static double lanczos(double distance) {
        if (Math.abs(distance) < 1e-9) {
            return 1;
        }
        double x = Math.PI * distance;
        return Math.abs(distance) < 4 ? 4 * Math.sin(x) * Math.sin(x / 4) / (x * x) : 0;
    }

    /** Output i covers [i·s, (i + 1)·s). */
    private static ResampleAxis area(int from, int to) {
        int taps = Math.min(from, (int) Math.ceil((double) from / to) + 1);
        Builder axis = new Builder(from, to, taps);
        for (int i = 0; i < to; i++) {
            // In units of 1/to of an input pixel everything is whole: output i covers [i·from, (i + 1)·from), input j
            // covers [j·to, (j + 1)·to).
            long begin = (long) i * from;
            long end = begin + from;
            int start = (int) (begin / to);
            for (int j = start; (long) j * to < end; j++) {
                long covered = Math.min(end, (j + 1L) * to) - Math.max(begin, (long) j * to);
                axis.add(i, start, j, (double) covered / from);
            }
        }
        return axis.build();
    }

    /** OpenCV's: pixel j = ⌊i·s⌋, and of the next the share of the output pixel that lies beyond j's end. */
    private static ResampleAxis areaEnlarging(int from, int to) {
        Builder axis = new Builder(from, to, 2);
        for (int i = 0; i < to; i++) {
            int start = (int) ((long) i * from / to);
            double beyond = i + 1 - (start + 1.0) * to / from;
            double fraction = beyond <= 0 ? 0 : beyond - Math.floor(beyond);
            axis.add(i, start, start, 1 - fraction);
            axis.add(i, start, start + 1, fraction);
        }
        return axis.build();
    }

    /** Folds what lies outside the input into its border. */
    private static final class Builder {
        private final int from;
        private final int taps;
        private final int[] first;
        private final float[] weights;

        Builder(int from, int to, int support) {
            this.from = from;
            taps = Math.min(support, from);
            first = new int[to];
            weights = new float[Math.multiplyExact(to, taps)];
        }

        void add(int output, int start, int position, double weight) {
            first[output] = Math.clamp(start, 0, from - taps);
            int inside = Math.clamp(position, 0, from - 1);
            weights[output * taps + inside - first[output]] += (float) weight;
        }

        ResampleAxis build() {
            return new ResampleAxis(taps, first, weights);
        }
    }
}
