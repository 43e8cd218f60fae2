package tenon.optim.metrics;

import java.lang.foreign.MemorySegment;
import tenon.engine.DType;
import tenon.engine.GradMode;
import tenon.engine.Tensor;
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
    private float[] column = {};
    private int rows;
    private int k;

    /** Adds a batch; returns false if it has no classes to count. */
    public boolean add(Tensor logits, Tensor target) {
        rows = 0;
        if (logits.shape().rank() != 2 || logits.shape().dim(0) == 0) {
            return false;
        }
        int n = logits.shape().dim(0);
        int classes = logits.shape().dim(1);
        boolean indices = target.dtype() == DType.I32
                && target.shape().rank() == 1
                && target.shape().dim(0) == n;
        boolean sameShape = target.dtype().isFloating() && target.shape().equals(logits.shape());
        if (!indices && !sameShape || classes == 0) {
            return false;
        }
        top = grown(top, n * Math.min(K, classes));
        truth = grown(truth, n);
        try (var _ = GradMode.noGrad()) {
            if (classes == 1 && sameShape) {
                k = 1;
                threshold(logits, 0, n, top);
                threshold(target, 0.5f, n, truth);
            } else {
                k = Math.min(K, classes);
                best(logits, k, top);
                if (indices) {
                    target.download(MemorySegment.ofArray(truth).asSlice(0, 4L * n));
                } else {
                    best(target, 1, truth);
                }
            }
        }
        rows = n;
        count();
        return true;
    }

    private static void best(Tensor scores, int k, int[] into) {
        try (Tensor indices = Metrics.topK(scores, k)) {
            indices.download(MemorySegment.ofArray(into).asSlice(0, indices.byteSize()));
        }
    }

    private void threshold(Tensor scores, float limit, int n, int[] into) {
        if (scores.dtype() == DType.F32) {
            column = column.length < n ? new float[n] : column;
            scores.download(MemorySegment.ofArray(column).asSlice(0, 4L * n));
        } else {
            column = scores.toFloatArray();
        }
        for (int i = 0; i < n; i++) {
            into[i] = column[i] > limit ? 1 : 0;
        }
    }

    private void count() {
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
