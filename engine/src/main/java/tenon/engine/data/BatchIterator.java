package tenon.engine.data;

import tenon.engine.Tensor;

/** Walks over the batches of one epoch, on the thread that trains. */
public interface BatchIterator extends AutoCloseable {
    boolean hasNext();

    /** The next batch; tensors of the previous one become invalid. */
    Batch next();

    /**
     * Puts the next batch into tensors of the caller, of its shapes and dtypes, as a recorded step reads them; they may be on another back-end. A source whose batches are computed on the device computes the inputs there.
     */
    default void next(Tensor input, Tensor target) {
        Batch batch = next();
        input.transferFrom(batch.input());
        target.transferFrom(batch.target());
    }

    @Override
    void close();
}
