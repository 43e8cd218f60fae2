package tenon.engine.backend;

import java.util.List;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.DeviceException;
import tenon.engine.Tensor;

/** What the ways in which devices compute together have in common: the ranks meet in each call, and a failure at one of them ends the group. */
public abstract class RankCommunicator implements Communicator {
    protected final int rank;
    private final RankCalls calls;

    /** @param calls the group's */
    protected RankCommunicator(int rank, RankCalls calls) {
        this.rank = rank;
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
    protected final void await() {
        calls.barrier().await();
    }

    protected final void check() {
        calls.barrier().check();
    }

    protected final List<Tensor> meet(String op, List<Tensor> tensors) {
        return calls.meet(rank, op, tensors);
    }

    @Override
    public final void allReduceSum(List<Tensor> tensors) {
        startSum(tensors);
        awaitSums();
    }

    @Override
    public final void startSum(List<Tensor> tensors) {
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
    public final void awaitSums() {
        together(this::join);
    }

    @Override
    public final void broadcast(List<Tensor> tensors) {
        together(() -> copyFromFirst(tensors));
    }

    private void together(Runnable call) {
        try {
            check();
            begin();
            call.run();
        } catch (RuntimeException | Error e) {
            abort(e);
            throw e;
        }
    }

    /** Before each call; throws where this rank cannot make one now. */
    protected void begin() {}

    /** F32 tensors, perhaps beside the device's other work, until {@link #join}. */
    protected abstract void allReduce(List<Tensor> tensors);

    /** Lets the device's work from now on see the sums. */
    protected void join() {}

    protected abstract void copyFromFirst(List<Tensor> tensors);

    /** Ends what waits on the devices for another rank, where something may. */
    protected void stop() {}

    @Override
    public final void abort(Throwable cause) {
        calls.barrier().end(cause);
        stop();
    }

    /** Lets nobody call any more; what was called ends. */
    protected final void end() {
        calls.barrier().end(new DeviceException("communicator: it is closed: rank=" + rank));
    }
}
