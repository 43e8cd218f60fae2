package tenon.benchmarks;

import java.util.Arrays;
import java.util.stream.DoubleStream;

/** Medians, and the difference of two means with its uncertainty. */
public final class Statistics {
    /** Two-sided 95 % quantiles of Student's t distribution for 1, 2, … degrees of freedom. */
    private static final double[] STUDENT_T = {
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
        2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042
    };

    private static final double NORMAL = 1.960;

    /**
     * How much larger the one is.
     *
     * @param value geometric mean of the second over that of the first
     * @param low lower end of its 95 % interval; NaN when either side was measured once only
     * @param high upper end
     */
    public record Ratio(double value, double low, double high) {
        /** Whether the interval leaves 1 out. */
        public boolean exceedsNoise() {
            return low > 1 || high < 1;
        }

        public boolean hasBounds() {
            return !Double.isNaN(low);
        }
    }

    private Statistics() {}

    /** The mean of the two in the middle for an even count. */
    public static double median(DoubleStream values) {
        double[] sorted = values.sorted().toArray();
        if (sorted.length == 0) {
            throw new IllegalArgumentException("median: there must be a value");
        }
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    public static double median(double[] values) {
        return median(Arrays.stream(values));
    }

    /**
     * {@code b} over {@code a} by Welch's unequal-variances t interval ("The generalization of Student's problem when several different population
     * variances are involved", 1947) on logarithms, since measured times scatter by factors.
     *
     * @param a positive measurements
     * @param b positive measurements
     */
    public static Ratio ratio(double[] a, double[] b) {
        double[] logA = Arrays.stream(a).map(Math::log).toArray();
        double[] logB = Arrays.stream(b).map(Math::log).toArray();
        double difference = mean(logB) - mean(logA);
        if (a.length < 2 || b.length < 2) {
            return new Ratio(Math.exp(difference), Double.NaN, Double.NaN);
        }
        double errorA = variance(logA) / a.length;
        double errorB = variance(logB) / b.length;
        double error = errorA + errorB;
        double freedom =
                error == 0 ? 1 : error * error / (errorA * errorA / (a.length - 1) + errorB * errorB / (b.length - 1));
        double margin = studentT(freedom) * Math.sqrt(error);
        return new Ratio(Math.exp(difference), Math.exp(difference - margin), Math.exp(difference + margin));
    }

    /** Rounds the degrees of freedom down, which widens the interval. */
    static double studentT(double freedom) {
        int index = (int) Math.max(1, Math.floor(freedom)) - 1;
        return index < STUDENT_T.length ? STUDENT_T[index] : NORMAL;
    }

    private static double mean(double[] values) {
        return Arrays.stream(values).average().orElseThrow();
    }

    private static double variance(double[] values) {
        double mean = mean(values);
        return Arrays.stream(values).map(x -> (x - mean) * (x - mean)).sum() / (values.length - 1);
    }
}
