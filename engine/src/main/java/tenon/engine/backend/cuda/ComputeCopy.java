package tenon.engine.backend.cuda;

import tenon.engine.memory.PrivateForm;
import tenon.engine.memory.Storage;

/**
 * A BF16 copy of an F32 weight, kept as long as the weight, that the updates write along with it. Whoever asks the weight for its memory may write, so the copy is out of date from then
 * on. Guarded by the back-end's lock, but for {@link #restore}.
 */
final class ComputeCopy implements PrivateForm {
    private final Storage weight;
    private final long elementCount;
    private final Storage copy;
    private volatile boolean valid;
    private boolean released;

    private ComputeCopy(Storage weight, long elementCount, Storage copy) {
        this.weight = weight;
        this.elementCount = elementCount;
        this.copy = copy;
    }

    /** The weight's copy, or null if nobody has read one yet. */
    static ComputeCopy of(Storage weight) {
        return (ComputeCopy) weight.form();
    }

    /** Makes a copy, without contents; its memory is never a recording's, which it outlives. */
    static ComputeCopy attach(CudaBackend backend, Storage weight, long elementCount) {
        ComputeCopy made =
                new ComputeCopy(weight, elementCount, backend.general().allocate(elementCount * Short.BYTES));
        weight.attach(made);
        return made;
    }

    long address() {
        return copy.blockAddress();
    }

    boolean isValid() {
        return valid;
    }

    void setValid(boolean nowValid) {
        valid = nowValid;
    }

    boolean isReleased() {
        return released;
    }

    /** Queues the rounding of the weight. */
    void renew(CudaBackend backend) {
        backend.arithmetic.roundToBf16(weight.blockAddress(), copy.blockAddress(), elementCount);
        valid = true;
    }

    @Override
    public void restore() {
        valid = false;
    }

    @Override
    public boolean isPlain() {
        return true;
    }

    @Override
    public void release() {
        released = true;
        copy.release();
    }
}
