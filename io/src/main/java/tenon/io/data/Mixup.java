package tenon.io.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.io.record.RecordException;

/**
 * Mixes the samples of a batch pairwise (Zhang et al. 2018, "mixup", equation 1): the i-th of n becomes λ·x_i + (1 − λ)·x_(n − 1 − i), its target likewise of the
 * two classes, with one λ per batch from Beta(α, α). The order is shuffled before, so that pairs are random. λ depends on (seed, epoch, batch) only.
 */
final class Mixup {
    /** Random numbers set aside for one batch: the rejection method needs about 1.3 pairs for a gamma variate. */
    private static final long DRAWS_PER_BATCH = 1L << 16;

    private final double alpha;
    private final int classes;
    private final int sampleSize;
    private final DType dtype;

    /** @param alpha positive; small ones keep pictures nearly whole, 1 makes λ uniform */
    Mixup(double alpha, int classes, int sampleSize, DType dtype) {
        this.alpha = alpha;
        this.classes = classes;
        this.sampleSize = sampleSize;
        this.dtype = dtype;
    }

    /** λ of a batch. */
    double lambda(long seed, int epoch, int batch) {
        Rng rng = new Rng(seed, Rng.stream("mixup"), epoch);
        rng.position(batch * DRAWS_PER_BATCH);
        double a = gamma(rng);
        double b = gamma(rng);
        return a + b > 0 ? a / (a + b) : 0.5;
    }

    /**
     * Gamma(α, 1) by Marsaglia and Tsang 2000, "A simple method for generating gamma variables"; below α = 1 it is that of α + 1 times U^(1/α) (their section 6).
     */
    private double gamma(Rng rng) {
        double shape = alpha < 1 ? alpha + 1 : alpha;
        double d = shape - 1.0 / 3;
        double c = 1 / Math.sqrt(9 * d);
        while (true) {
            double x = gaussian(rng);
            double v = 1 + c * x;
            if (v <= 0) {
                continue;
            }
            v = v * v * v;
            if (StrictMath.log(uniform(rng)) < x * x / 2 + d - d * v + d * StrictMath.log(v)) {
                double result = d * v;
                return alpha < 1 ? result * StrictMath.pow(uniform(rng), 1 / alpha) : result;
            }
        }
    }

    private static double gaussian(Rng rng) {
        double radius = Math.sqrt(-2 * StrictMath.log(uniform(rng)));
        return radius * StrictMath.cos(2 * Math.PI * rng.nextUniform());
    }

    /** In (0, 1). */
    private static double uniform(Rng rng) {
        return rng.nextUniform() + 0x1.0p-26;
    }

    /**
     * Mixes a batch in place.
     *
     * @param inputs {@code size} samples
     * @param labels class of each
     * @param targets becomes F32 [size, classes]
     */
    void apply(double lambda, int size, MemorySegment inputs, int[] labels, MemorySegment targets) {
        for (int label : labels) {
            if (label < 0 || label >= classes) {
                throw new RecordException(
                        "mixup: every sample must have a class: class=" + label + ", classes=" + classes);
            }
        }
        targets.asSlice(0, (long) size * classes * Float.BYTES).fill((byte) 0);
        float share = (float) lambda;
        float rest = 1 - share;
        for (int i = 0; i < size; i++) {
            add(targets, i, labels[i], share);
            add(targets, i, labels[size - 1 - i], rest);
        }
        for (int i = 0; i < size / 2; i++) {
            long first = (long) i * sampleSize;
            long second = (long) (size - 1 - i) * sampleSize;
            for (int k = 0; k < sampleSize; k++) {
                float x = get(inputs, first + k);
                float y = get(inputs, second + k);
                set(inputs, first + k, share * x + rest * y);
                set(inputs, second + k, share * y + rest * x);
            }
        }
    }

    private void add(MemorySegment targets, int row, int label, float share) {
        long at = (long) row * classes + label;
        targets.setAtIndex(ValueLayout.JAVA_FLOAT, at, targets.getAtIndex(ValueLayout.JAVA_FLOAT, at) + share);
    }

    private float get(MemorySegment inputs, long at) {
        return dtype == DType.F32
                ? inputs.getAtIndex(ValueLayout.JAVA_FLOAT, at)
                : DType.bf16ToFloat(inputs.getAtIndex(ValueLayout.JAVA_SHORT, at));
    }

    private void set(MemorySegment inputs, long at, float value) {
        if (dtype == DType.F32) {
            inputs.setAtIndex(ValueLayout.JAVA_FLOAT, at, value);
        } else {
            inputs.setAtIndex(ValueLayout.JAVA_SHORT, at, DType.floatToBf16(value));
        }
    }
}
