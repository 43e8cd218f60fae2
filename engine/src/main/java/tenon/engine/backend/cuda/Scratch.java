package tenon.engine.backend.cuda;

import tenon.engine.memory.Storage;

/** Device memory that one op at a time uses; grows to the largest request. The next user's work comes after this one's on the stream, so it may be the same memory. */
final class Scratch implements AutoCloseable {
    private final CudaBackend backend;
    private Storage storage;

    Scratch(CudaBackend backend) {
        this.backend = backend;
    }

    /** Address of at least {@code byteSize} bytes, valid until the next call; call under the back-end's lock. 256-byte aligned; 0 for 0 bytes. */
    long get(long byteSize) {
        if (byteSize == 0) {
            return 0;
        }
        if (storage == null || storage.capacity() < byteSize) {
            close();
            storage = backend.allocator().allocate(byteSize);
        }
        return storage.blockAddress();
    }

    @Override
    public void close() {
        if (storage != null) {
            storage.release();
            storage = null;
        }
    }
}
