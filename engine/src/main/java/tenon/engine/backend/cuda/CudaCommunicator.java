package tenon.engine.backend.cuda;

import tenon.engine.backend.RankCalls;
import tenon.engine.backend.RankCommunicator;

/** A GPU's end of a group. Sums run on a stream of their own, beside the computation. */
abstract class CudaCommunicator extends RankCommunicator {
    final CudaBackend backend;
    private SideStream side;

    CudaCommunicator(int rank, CudaBackend backend, RankCalls calls) {
        super(rank, calls);
        this.backend = backend;
    }

    @Override
    protected final void begin() {
        backend.checkNotCapturing("communicator");
    }

    /** The stream of sums, where what comes next waits for the computation asked for so far. Under the back-end's lock, with its device current. */
    final Stream fork() {
        if (side == null) {
            side = new SideStream(backend);
        }
        side.fork();
        return side.stream();
    }

    @Override
    protected void join() {
        synchronized (backend.lock) {
            if (side != null) {
                backend.enter();
                side.join();
            }
        }
    }

    /** Waits for what the group has queued on this device, whose work may have ended in an error. */
    final void drain() {
        if (side != null && !backend.isClosed()) {
            backend.context.enter();
            side.drain();
        }
    }

    final void closeStream() {
        if (side != null && !backend.isClosed()) {
            backend.context.enter();
            side.close();
        }
    }
}
