package tenon.engine.backend.cuda;

import tenon.engine.memory.Allocator;
import tenon.engine.memory.Storage;

/**
 * Device memory that one op at a time uses; grows to the largest request. The next user's work comes after this one's on the stream, so it may be the same memory. A recording has scratch
 * memory of its own: it keeps the addresses.
 */
final class Scratch implements AutoCloseable {
    private final CudaBackend backend;
    private final Allocator allocator;
    private Storage storage;

    /** Takes from the back-end's allocator, or while a step is recorded, from the recording's scratch memory. */
    Scratch(CudaBackend backend, Allocator allocator) {
        this.backend = backend;
        this.allocator = allocator;
    }

    /** Address of at least {@code byteSize} bytes, valid until the next call; call under the back-end's lock. 256-byte aligned; 0 for 0 bytes. */
    long get(long byteSize) {
        if (byteSize == 0) {
            return 0;
        }
        Recording recording = backend.recording();
        if (recording != null && recording.pool() != allocator) {
            return recording.scratch(this).get(byteSize);
        }
        if (storage == null || storage.capacity() < byteSize) {
            close();
            storage = allocator.allocate(byteSize);
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
