package tenon.engine.data;

/** Walks over the batches of one epoch, on the thread that trains. */
public interface BatchIterator extends AutoCloseable {
    boolean hasNext();

    /** The next batch; tensors of the previous one become invalid. */
    Batch next();

    @Override
    void close();
}
