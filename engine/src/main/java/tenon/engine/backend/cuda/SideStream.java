package tenon.engine.backend.cuda;

import jcuda.driver.JCudaDriver;

/** A stream beside a back-end's computation, and the events that hold the two in order. The device must be current on the thread that calls. */
final class SideStream implements AutoCloseable {
    private final CudaBackend backend;
    private final Stream stream = new Stream();
    private final Event computed;
    private final Event done;

    SideStream(CudaBackend backend) {
        this.backend = backend;
        try {
            Event[] events = Event.create(2);
            computed = events[0];
            done = events[1];
        } catch (RuntimeException e) {
            stream.close();
            throw e;
        }
    }

    Stream stream() {
        return stream;
    }

    /** Work queued here from now on comes after the computation queued so far. */
    void fork() {
        computed.record(backend.compute);
        stream.waitFor(computed);
    }

    /** Computation queued from now on comes after the work queued here so far. */
    void join() {
        done.record(stream);
        backend.compute.waitFor(done);
    }

    /** Waits on the host, whatever the work ended with. */
    void drain() {
        Driver.runQuietly(() -> JCudaDriver.cuStreamSynchronize(stream.handle()));
    }

    @Override
    public void close() {
        stream.close();
        computed.close();
        done.close();
    }
}
