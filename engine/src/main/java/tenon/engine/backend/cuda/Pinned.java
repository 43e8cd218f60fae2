package tenon.engine.backend.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.Pointer;
import jcuda.driver.JCudaDriver;

/** Host memory that a device reads and writes directly, while the host does something else. */
final class Pinned implements AutoCloseable {
    private static final class Block extends Pointer {
        long address() {
            return getNativePointer();
        }
    }

    private final Block pointer = new Block();
    private final MemorySegment segment;
    private boolean closed;

    @SuppressWarnings("restricted")
    Pinned(long byteSize) {
        Driver.run(
                "cuMemHostAlloc",
                () -> JCudaDriver.cuMemHostAlloc(pointer, byteSize, JCudaDriver.CU_MEMHOSTALLOC_PORTABLE));
        segment = MemorySegment.ofAddress(pointer.address()).reinterpret(byteSize);
    }

    MemorySegment segment() {
        return segment;
    }

    /** The byte at {@code offset}, for JCuda's calls. */
    Pointer at(long offset) {
        return Pointers.host(pointer.address() + offset);
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            Driver.runQuietly(() -> JCudaDriver.cuMemFreeHost(pointer));
        }
    }
}
