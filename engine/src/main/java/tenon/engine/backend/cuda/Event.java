package tenon.engine.backend.cuda;

import java.util.Arrays;
import java.util.Objects;
import jcuda.CudaException;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.JCudaDriver;

/** A mark in a stream. */
final class Event implements AutoCloseable {
    private final CUevent handle = new CUevent();
    private boolean closed;

    Event() {
        Driver.run("cuEventCreate", () -> JCudaDriver.cuEventCreate(handle, CUevent_flags.CU_EVENT_DISABLE_TIMING));
    }

    /** All or none. */
    static Event[] create(int count) {
        Event[] events = new Event[count];
        try {
            Arrays.setAll(events, _ -> new Event());
            return events;
        } catch (RuntimeException e) {
            Arrays.stream(events).filter(Objects::nonNull).forEach(Event::close);
            throw e;
        }
    }

    CUevent handle() {
        return handle;
    }

    /** Marks the work queued in the stream so far; an earlier mark is forgotten. */
    void record(Stream stream) {
        try {
            JCudaDriver.cuEventRecord(handle, stream.handle());
        } catch (CudaException e) {
            throw Driver.failure("cuEventRecord", e);
        }
    }

    /** Waits until the marked work is done; at once if nothing was marked. */
    void synchronize() {
        try {
            JCudaDriver.cuEventSynchronize(handle);
        } catch (CudaException e) {
            throw Driver.failure("cuEventSynchronize", e);
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            Driver.runQuietly(() -> JCudaDriver.cuEventDestroy(handle));
        }
    }
}
