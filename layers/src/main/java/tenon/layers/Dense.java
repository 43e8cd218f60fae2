package tenon.layers;

import tenon.engine.Shape;
import tenon.engine.Tensor;

/** Fully connected layer: input [N, I], weight [O, I], bias [O], output [N, O]. Parameters {@code weight} and, unless switched off, {@code bias}. */
public final class Dense extends Module {
    private final Parameter weight;
    private final Parameter bias;

    /** With bias, Glorot uniform weights, zero bias. */
    public Dense(int inFeatures, int outFeatures) {
        this(inFeatures, outFeatures, true, Initializer.glorotUniform());
    }

    /** A bias starts at zero. */
    public Dense(int inFeatures, int outFeatures, boolean bias, Initializer initializer) {
        this(
                initializer.create(Shape.of(outFeatures, inFeatures)),
                bias ? Initializer.zeros().create(Shape.of(outFeatures)) : null);
    }

    /** Ready weights; {@code bias} may be null. */
    public Dense(Tensor weight, Tensor bias) {
        this.weight = parameter("weight", weight, true);
        this.bias = bias == null ? null : parameter("bias", bias, false);
    }

    public Parameter weight() {
        return weight;
    }

    /** Null without one. */
    public Parameter bias() {
        return bias;
    }

    @Override
    protected Tensor forward(Tensor input) {
        return tenon.engine.ops.Dense.dense(input, weight.value(), bias == null ? null : bias.value());
    }

    @Override
    protected String settings() {
        Shape w = weight.value().shape();
        return w.dim(1) + " -> " + w.dim(0) + (bias == null ? ", no bias" : "");
    }
}
