package tenon.engine.memory;

/** Source of a back-end's memory. Implementations are safe for use by several threads. */
public interface Allocator extends AutoCloseable {
    /**
     * A block of at least {@code byteSize} bytes with one reference; contents are undefined.
     *
     * @throws tenon.engine.OutOfMemoryException when the limit or the system refuses it
     */
    Storage allocate(long byteSize);

    /** Takes a block back; called by {@link Storage#release()} only. */
    void free(Storage storage);

    MemoryStatistics statistics();

    /** Returns all cached blocks to the system. */
    void trim();

    /** Releases cached blocks; live ones stay valid until their tensors are closed. */
    @Override
    void close();
}
