package tenon.engine.data;

import tenon.engine.Shape;

/**
 * A data set cut into batches. The order of samples and all random augmentation depend only on the source's seed, the epoch and the sample, so
 * that training can resume in the middle of an epoch and see exactly what it would have seen.
 */
public interface BatchSource extends AutoCloseable {
    /** Samples that one epoch visits. */
    long sampleCount();

    int batchSize();

    /** Batches of one epoch; the last may be shorter unless the source drops it. */
    int batchesPerEpoch();

    /** Shape of one input sample, e.g. [H, W, C]. */
    Shape sampleShape();

    /** Iterates over epoch {@code epoch} (from 0) beginning with batch {@code firstBatch} (from 0). Close it to stop its threads. */
    BatchIterator iterate(int epoch, int firstBatch);

    @Override
    void close();
}
