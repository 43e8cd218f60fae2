package tenon.engine.backend.cuda;

import tenon.engine.backend.RankCalls;
import tenon.engine.backend.RankCommunicator;

/** A GPU's end of a group. */
abstract class CudaCommunicator extends RankCommunicator {
    final CudaBackend backend;

    CudaCommunicator(int rank, CudaBackend backend, RankCalls calls) {
        super(rank, calls);
        this.backend = backend;
    }

    @Override
    protected final void begin() {
        backend.checkNotCapturing("communicator");
    }
}
