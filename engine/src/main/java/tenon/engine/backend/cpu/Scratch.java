package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import tenon.engine.memory.Allocator;
import tenon.engine.memory.Storage;

/** Memory that one op at a time uses; grows to the largest request. */
final class Scratch implements AutoCloseable {
    private final Allocator allocator;
    private Storage storage;

    Scratch(Allocator allocator) {
        this.allocator = allocator;
    }

    /** Address of at least {@code byteSize} bytes; earlier contents are lost when it grows. */
    long address(long byteSize) {
        if (storage == null || storage.capacity() < byteSize) {
            close();
            storage = allocator.allocate(byteSize);
        }
        return storage.address();
    }

    /** As {@link #address}, as a segment of at least {@code byteSize} bytes. */
    MemorySegment segment(long byteSize) {
        address(byteSize);
        return storage.segment();
    }

    @Override
    public void close() {
        if (storage != null) {
            storage.release();
            storage = null;
        }
    }
}
