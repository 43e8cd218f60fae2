package tenon.engine;

import java.util.Locale;
import tenon.engine.backend.Backend;
import tenon.engine.backend.OpKind;

/**
 * What a network computes in. Parameters, their gradients, statistics and losses are F32 in either mode (mixed precision, Micikevicius et al. 2018;
 * bf16 has the range of F32, so no loss scaling is needed).
 */
public enum Precision {
    /** F32 throughout. */
    FP32(DType.F32),
    /** BF16 activations, their gradients, and copies of the weights to compute with. */
    BF16(DType.BF16);

    private final DType dtype;

    Precision(DType dtype) {
        this.dtype = dtype;
    }

    /** Of activations and their gradients. */
    public DType dtype() {
        return dtype;
    }

    /** Whether the back-end can train a network in it. */
    public boolean availableOn(Backend backend) {
        return backend.supports(OpKind.CONV2D, dtype);
    }

    /** {@code fp32} or {@code bf16}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
