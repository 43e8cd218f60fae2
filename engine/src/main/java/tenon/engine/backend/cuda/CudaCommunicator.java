package tenon.engine.backend.cuda;

import java.util.List;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.DeviceException;
import tenon.engine.Tensor;
import tenon.engine.backend.Communicator;
import tenon.engine.backend.RankCalls;

/** What the ways in which GPUs compute together have in common: the ranks meet before each call, and a failure at one of them ends the group. */
abstract class CudaCommunicator implements Communicator {
    final int rank;
    final CudaBackend backend;
    private final RankCalls calls;

    CudaCommunicator(int rank, CudaBackend backend, RankCalls calls) {
        this.rank = rank;
        this.backend = backend;
        this.calls = calls;
    }

    @Override
    public final int rank() {
        return rank;
    }

    @Override
    public final int size() {
        return calls.size();
    }

    /** Waits for the other ranks. */
    final void await() {
        calls.barrier().await();
    }

    final void check() {
        calls.barrier().check();
    }

    final List<Tensor> meet(String op, List<Tensor> tensors) {
        return calls.meet(rank, op, tensors);
    }

    @Override
    public final void allReduceSum(List<Tensor> tensors) {
        together(() -> {
            for (Tensor tensor : tensors) {
                if (tensor.dtype() != DType.F32) {
                    throw new DTypeException("all-reduce: tensors must be F32: rank=" + rank + ", tensor=" + tensor);
                }
            }
            allReduce(tensors);
        });
    }

    @Override
    public final void broadcast(List<Tensor> tensors) {
        together(() -> copyFromFirst(tensors));
    }

    private void together(Runnable call) {
        try {
            check();
            backend.checkNotCapturing("communicator");
            call.run();
        } catch (RuntimeException | Error e) {
            abort(e);
            throw e;
        }
    }

    /** F32 tensors. */
    abstract void allReduce(List<Tensor> tensors);

    abstract void copyFromFirst(List<Tensor> tensors);

    /** Ends what runs or waits on the devices. */
    abstract void stop();

    @Override
    public final void abort(Throwable cause) {
        calls.barrier().end(cause);
        stop();
    }

    /** Lets nobody call any more; what was called ends. */
    final void end() {
        calls.barrier().end(new DeviceException("communicator: it is closed: rank=" + rank));
    }
}
