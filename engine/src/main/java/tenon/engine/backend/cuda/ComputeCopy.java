package tenon.engine.backend.cuda;

import tenon.engine.memory.PrivateForm;
import tenon.engine.memory.Storage;

/** A BF16 copy of an F32 weight, kept as long as the weight, that the updates write along with it. Whoever asks the weight for its memory may write, so the copy is out of date from then on. */
final class ComputeCopy implements PrivateForm {
    private final Storage copy;
    private boolean valid;

    private ComputeCopy(Storage copy) {
        this.copy = copy;
    }

    /** Where an update writes the rounded weight, or 0 where the weight has no copy; {@link #written} must follow. */
    static long toWrite(Storage weight) {
        return weight.form() == null ? 0 : ((ComputeCopy) weight.form()).copy.blockAddress();
    }

    /** Declares the copy equal to the weight. */
    static void written(Storage weight) {
        if (weight.form() != null) {
            ((ComputeCopy) weight.form()).valid = true;
        }
    }

    boolean isValid() {
        return valid;
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
        copy.release();
    }
}
