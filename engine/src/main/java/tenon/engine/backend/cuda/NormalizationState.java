package tenon.engine.backend.cuda;

import tenon.engine.Tensor;
import tenon.engine.memory.PrivateForm;
import tenon.engine.memory.Storage;

/**
 * What cuDNN's backward call reads of its forward call besides the batch's mean: mean and inverse deviation in its own form, and the reserve space. It hangs on the storage of the batch's
 * mean, which lives until the backward pass is over.
 */
final class NormalizationState implements PrivateForm {
    private static final long ALIGNMENT = 256;

    private Storage storage;
    private long vectorBytes;

    private NormalizationState() {}

    /** Null where cuDNN never computed this mean. */
    static NormalizationState of(Tensor mean) {
        return mean.storage().form() instanceof NormalizationState state ? state : null;
    }

    /** Memory for a forward call, of the recording while there is one, as the mean's is. */
    static NormalizationState hold(CudaBackend backend, Tensor mean, long reserveBytes) {
        NormalizationState state = of(mean);
        if (state == null) {
            state = new NormalizationState();
            mean.storage().attach(state);
        }
        state.release();
        state.vectorBytes = aligned(mean.byteSize());
        state.storage = backend.allocator().allocate(2 * state.vectorBytes + reserveBytes);
        return state;
    }

    /** Called when something else computes the mean. */
    static void forget(Tensor mean) {
        NormalizationState state = of(mean);
        if (state != null) {
            state.release();
        }
    }

    static long aligned(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    boolean isHeld() {
        return storage != null;
    }

    long mean() {
        return storage.blockAddress();
    }

    long inverseDeviation() {
        return mean() + vectorBytes;
    }

    long reserve() {
        return inverseDeviation() + vectorBytes;
    }

    @Override
    public void restore() {}

    @Override
    public boolean isPlain() {
        return true;
    }

    @Override
    public void release() {
        if (storage != null) {
            storage.release();
            storage = null;
        }
    }
}
