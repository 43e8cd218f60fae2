package tenon.engine.backend.cuda;

import jcuda.driver.CUstream;

/** A queue of work on a device. */
final class Stream implements AutoCloseable {
    private static final class Handle extends CUstream {
        long address() {
            return getNativePointer();
        }
    }

    private final Handle handle = new Handle();

    CUstream handle() {
        return handle;
    }

    /** The handle as a number, for calls through the foreign-function API. */
    long address() {
        return handle.address();
    }

    /** Waits until all work queued so far is done. */
    void synchronize() {
        throw new UnsupportedOperationException("Stream.synchronize");
    }

    @Override
    public void close() {}
}
