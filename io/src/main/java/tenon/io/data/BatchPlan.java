package tenon.io.data;

import tenon.engine.Rng;
import tenon.engine.ShapeException;

/** Which samples an epoch visits, in which order, and how they fall into batches. */
final class BatchPlan {
    private final int[] subset;
    private final int[] order;
    private final int batchSize;
    private final boolean dropLast;
    private final Shuffle shuffle;
    private final long seed;

    /** @param subset sample numbers in unshuffled order; not copied and not changed */
    BatchPlan(int[] subset, int batchSize, boolean dropLast, Shuffle shuffle, long seed) {
        if (batchSize < 1) {
            throw new ShapeException("batch source: batch size must be at least 1: batchSize=" + batchSize);
        }
        if (subset.length == 0 || dropLast && subset.length < batchSize) {
            throw new ShapeException("batch source: there must be at least one batch: samples=" + subset.length
                    + ", batchSize=" + batchSize + ", dropLast=" + dropLast);
        }
        this.subset = subset;
        this.order = subset.clone();
        this.batchSize = batchSize;
        this.dropLast = dropLast;
        this.shuffle = shuffle;
        this.seed = seed;
    }

    /** The sample numbers of an epoch in order; the array is re-used by the next call. */
    int[] order(int epoch) {
        System.arraycopy(subset, 0, order, 0, order.length);
        shuffle.apply(order, new Rng(seed, Rng.stream("shuffle"), epoch));
        return order;
    }

    int batchCount() {
        return dropLast ? subset.length / batchSize : Math.ceilDiv(subset.length, batchSize);
    }

    int sampleCount() {
        return dropLast ? batchCount() * batchSize : subset.length;
    }

    int batchSize() {
        return batchSize;
    }

    /** Samples in the shorter last batch, 0 if there is none. */
    int lastSize() {
        return sampleCount() % batchSize;
    }

    int firstSample(int batch) {
        return batch * batchSize;
    }

    int size(int batch) {
        return Math.min(batchSize, sampleCount() - firstSample(batch));
    }

    void checkFirst(int epoch, int firstBatch) {
        if (epoch < 0 || firstBatch < 0 || firstBatch > batchCount()) {
            throw new ShapeException("batch source: epoch must be at least 0 and firstBatch lie in [0, " + batchCount()
                    + "]: epoch=" + epoch + ", firstBatch=" + firstBatch);
        }
    }
}
