package tenon.optim.metrics;

import java.lang.foreign.MemorySegment;
import tenon.engine.DType;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.ops.Casts;
import tenon.engine.ops.Metrics;

/**
 * Counts how often the true class is the best, and among the best k = min(5, classes). It takes what losses take:
 *
 * <ul>
 *   <li>logits [N, C] with class indices I32 [N];
 *   <li>logits [N, C], C ≥ 2, with a row of probabilities each: the most probable class is the true one;
 *   <li>logits [N, 1] with [N, 1]: two classes, 1 where the logit is above 0 (the target above 0.5).
 * </ul>
 *
 * For anything else, such as regression, nothing is counted and the accuracies are NaN. Reads N·k integers back from the device per batch.
 */
public final class RankCounter {
    private static final int K = 5;

    private long samples;
    private long rank1;
    private long rank5;
    private int[] top = {};
    private int[] truth = {};
    private int rows;
    private int k;

    /**
     * What has to come back from the device to count a batch: elements of four bytes.
     *
     * @param scores I32 [N, k], the best classes, or F32 [N, 1], logits of the second of two classes
     * @param truth I32 of N true classes, or F32 [N, 1], probabilities of the second of two classes
     */
    public record Reading(Tensor scores, Tensor truth) {
        /** Of a batch's logits and targets, or null if it has no classes to count. Belongs to the current scope. */
        public static Reading of(Tensor logits, Tensor target) {
            if (logits.shape().rank() != 2 || logits.shape().elementCount() == 0) {
                return null;
            }
            int n = logits.shape().dim(0);
            int classes = logits.shape().dim(1);
            boolean indices = target.dtype() == DType.I32
                    && target.shape().rank() == 1
                    && target.shape().dim(0) == n;
            boolean sameShape = target.dtype().isFloating() && target.shape().equals(logits.shape());
            if (!indices && !sameShape) {
                return null;
            }
            try (var _ = GradMode.noGrad()) {
                if (classes == 1 && sameShape) {
                    return new Reading(inF32(logits), inF32(target));
                }
                return new Reading(
                        Metrics.topK(logits, Math.min(K, classes)),
                        indices ? target.detach() : Metrics.topK(target, 1));
            }
        }

        private static Tensor inF32(Tensor tensor) {
            return tensor.dtype() == DType.F32 ? tensor.detach() : Casts.cast(tensor, DType.F32);
        }
    }

    /** Adds a batch; returns false if it has no classes to count. */
    public boolean add(Tensor logits, Tensor target) {
        try (var _ = Scope.openLocal("ranks")) {
            Reading reading = Reading.of(logits, target);
            if (reading == null) {
                rows = 0;
                return false;
            }
            prepare(reading);
            reading.scores().download(host(top, reading.scores()));
            reading.truth().download(host(truth, reading.truth()));
            count(reading.scores().dtype() == DType.F32);
            return true;
        }
    }

    /** Adds a batch whose reading was downloaded to host memory. */
    public void add(Reading reading, MemorySegment scores, MemorySegment itsTruth) {
        prepare(reading);
        host(top, reading.scores()).copyFrom(scores);
        host(truth, reading.truth()).copyFrom(itsTruth);
        count(reading.scores().dtype() == DType.F32);
    }

    private void prepare(Reading reading) {
        rows = reading.scores().shape().dim(0);
        k = reading.scores().shape().dim(1);
        top = grown(top, rows * k);
        truth = grown(truth, rows);
    }

    private static MemorySegment host(int[] array, Tensor tensor) {
        return MemorySegment.ofArray(array).asSlice(0, tensor.byteSize());
    }

    /** @param thresholds whether the arrays hold the bits of floats: logits and probabilities of the second of two classes */
    private void count(boolean thresholds) {
        for (int row = 0; thresholds && row < rows; row++) {
            top[row] = Float.intBitsToFloat(top[row]) > 0 ? 1 : 0;
            truth[row] = Float.intBitsToFloat(truth[row]) > 0.5f ? 1 : 0;
        }
        for (int row = 0; row < rows; row++) {
            for (int j = 0; j < k; j++) {
                if (top[row * k + j] == truth[row]) {
                    rank5++;
                    rank1 += j == 0 ? 1 : 0;
                    break;
                }
            }
        }
        samples += rows;
    }

    private static int[] grown(int[] array, int size) {
        return array.length < size ? new int[size] : array;
    }

    /** Rows of the last batch that were counted. */
    public int rows() {
        return rows;
    }

    /** True class of a row of the last batch. */
    public int truth(int row) {
        return truth[row];
    }

    /** Best class of a row of the last batch. */
    public int predicted(int row) {
        return top[row * k];
    }

    public long samples() {
        return samples;
    }

    public long rank1Count() {
        return rank1;
    }

    public long rank5Count() {
        return rank5;
    }

    /** Share of samples whose best class is the true one; NaN before the first. */
    public double rank1() {
        return samples == 0 ? Double.NaN : (double) rank1 / samples;
    }

    /** Share of samples whose true class is among the best min(5, classes); NaN before the first. */
    public double rank5() {
        return samples == 0 ? Double.NaN : (double) rank5 / samples;
    }

    /** Goes on from these counts. */
    public void restore(long newSamples, long newRank1, long newRank5) {
        samples = newSamples;
        rank1 = newRank1;
        rank5 = newRank5;
    }
}
