package tenon.engine.backend.cuda;

import jcuda.CudaException;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/** A queue of work on a device. Its device's context must be current on the thread that calls. */
final class Stream implements AutoCloseable {
    private static final class Handle extends CUstream {
        long address() {
            return getNativePointer();
        }
    }

    private final Handle handle = new Handle();
    private boolean closed;

    /** A stream that does not wait for the default stream. */
    Stream() {
        Driver.run("cuStreamCreate", () -> JCudaDriver.cuStreamCreate(handle, CUstream_flags.CU_STREAM_NON_BLOCKING));
    }

    CUstream handle() {
        return handle;
    }

    /** The handle as a number, for calls through the foreign-function API. */
    long address() {
        return handle.address();
    }

    /** Waits until all work queued so far is done; an error of an earlier kernel comes out here. */
    void synchronize() {
        try {
            JCudaDriver.cuStreamSynchronize(handle);
        } catch (CudaException e) {
            throw Driver.failure("cuStreamSynchronize", e);
        }
    }

    /** Work queued here from now on waits for what the event marks. */
    void waitFor(Event event) {
        try {
            JCudaDriver.cuStreamWaitEvent(handle, event.handle(), 0);
        } catch (CudaException e) {
            throw Driver.failure("cuStreamWaitEvent", e);
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            Driver.runQuietly(() -> JCudaDriver.cuStreamDestroy(handle));
        }
    }
}
