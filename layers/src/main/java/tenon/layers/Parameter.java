package tenon.layers;

import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.ops.Casts;

/** A tensor that training changes: a leaf with a gradient, unless it is frozen. */
public final class Parameter {
    private final String localName;
    private final boolean decays;
    private Tensor value;
    private Module owner;

    /**
     * @param decays whether weight decay is meant for it: true for weights, false for biases, batch norm's gamma and beta, PReLU's slopes.
     *     An optimizer decides whether it follows.
     */
    public Parameter(String name, Tensor value, boolean decays) {
        this.localName = name;
        this.value = value.requireGrad(true);
        this.decays = decays;
    }

    /** Dotted name from the root of the network, e.g. {@code block1.conv.weight}: the key in checkpoints. */
    public String name() {
        return owner == null ? localName : owner.dotted(localName);
    }

    public Tensor value() {
        return value;
    }

    /**
     * The value in the dtype of a computation: the value itself, or a cast copy whose gradient comes back in the value's dtype. Bf16 runs keep
     * F32 parameters and compute with such copies.
     */
    public Tensor as(DType dtype) {
        return Casts.cast(value, dtype);
    }

    public boolean decays() {
        return decays;
    }

    public boolean trainable() {
        return value.requiresGrad();
    }

    /** False freezes: no gradient is computed, and optimizers leave the value alone. */
    public void setTrainable(boolean trainable) {
        value.requireGrad(trainable);
    }

    void ownedBy(Module module) {
        owner = module;
    }

    void convertTo(DType dtype) {
        if (value.dtype() != dtype) {
            boolean trainable = trainable();
            value.requireGrad(false);
            value = Module.converted(value, dtype).requireGrad(trainable);
        }
    }

    @Override
    public String toString() {
        return name() + " " + value.shape() + (trainable() ? "" : " (frozen)");
    }
}
