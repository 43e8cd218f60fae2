package tenon.layers;

import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.ops.Activation;

/** Fully connected layer: input [N, I], weight [O, I], bias [O], output [N, O]. Parameters {@code weight} and, unless switched off, {@code bias}. */
public final class Dense extends Module {
    private final Parameter weight;
    private final Parameter bias;
    private final Activation activation;

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
        this(weight, bias, Activation.NONE);
    }

    private Dense(Tensor weight, Tensor bias, Activation activation) {
        this.weight = parameter("weight", weight, true);
        this.bias = bias == null ? null : parameter("bias", bias, false);
        this.activation = activation;
    }

    public static Builder builder(int inFeatures, int outFeatures) {
        return new Builder(inFeatures, outFeatures);
    }

    public Parameter weight() {
        return weight;
    }

    /** Null without one. */
    public Parameter bias() {
        return bias;
    }

    /** In the same pass, after the bias. */
    public Activation activation() {
        return activation;
    }

    @Override
    protected void appendTo(InferenceChain chain) {
        chain.addFoldable(
                this,
                new FoldedLayer(
                        tenon.engine.ops.Dense::dense, weight.value(), bias == null ? null : bias.value(), activation));
    }

    @Override
    protected Tensor forward(Tensor input) {
        return tenon.engine.ops.Dense.dense(input, weight.value(), bias == null ? null : bias.value(), activation);
    }

    @Override
    String summaryType() {
        return type() + ActivationLayer.plus(activation);
    }

    @Override
    protected String settings() {
        Shape w = weight.value().shape();
        return w.dim(1) + " -> " + w.dim(0) + (bias == null ? ", no bias" : "") + ActivationLayer.suffix(activation);
    }

    /** Settings with the usual defaults: with bias, Glorot uniform weights, zero bias, no activation. */
    public static final class Builder {
        private final int inFeatures;
        private final int outFeatures;
        private boolean bias = true;
        private Initializer initializer = Initializer.glorotUniform();
        private Initializer biasInitializer = Initializer.zeros();
        private Activation activation = Activation.NONE;

        private Builder(int inFeatures, int outFeatures) {
            this.inFeatures = inFeatures;
            this.outFeatures = outFeatures;
        }

        public Builder bias(boolean on) {
            bias = on;
            return this;
        }

        public Builder initializer(Initializer weightInitializer) {
            initializer = weightInitializer;
            return this;
        }

        public Builder biasInitializer(Initializer newInitializer) {
            biasInitializer = newInitializer;
            return this;
        }

        /** Applied to the result in the same pass. */
        public Builder activation(Activation newActivation) {
            activation = newActivation;
            return this;
        }

        public Dense build() {
            return new Dense(
                    initializer.create(Shape.of(outFeatures, inFeatures)),
                    bias ? biasInitializer.create(Shape.of(outFeatures)) : null,
                    activation);
        }
    }
}
