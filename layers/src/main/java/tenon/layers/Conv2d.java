package tenon.layers;

import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.ops.Activation;
import tenon.engine.ops.ConcatBranch;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.Convolution;
import tenon.engine.ops.Padding;

/**
 * 2-D convolution: input [N, H, W, C], weight [K, R, S, C / groups], bias [K], output [N, P, Q, K] with P and Q as in {@link ConvSpec}.
 * Parameters {@code weight} and, unless switched off, {@code bias}. Groups = C is a depthwise convolution.
 */
public final class Conv2d extends Module {
    private final Parameter weight;
    private final Parameter bias;
    private final boolean samePadding;
    private final Activation activation;
    private ConvSpec spec;
    private int specHeight = -1;
    private int specWidth = -1;

    /** Square kernel, stride and symmetric padding, with bias, Glorot uniform weights. */
    public Conv2d(int inChannels, int outChannels, int kernel, int stride, int padding) {
        this(builder(inChannels, outChannels, kernel).stride(stride).padding(padding));
    }

    /** Ready weights; {@code bias} may be null. */
    public Conv2d(Tensor weight, Tensor bias, ConvSpec spec) {
        this(weight, bias, spec, false, Activation.NONE);
    }

    private Conv2d(Builder b) {
        this(
                b.initializer.create(Shape.of(b.outChannels, b.kernelH, b.kernelW, b.groupChannels())),
                b.bias ? b.biasInitializer.create(Shape.of(b.outChannels)) : null,
                new ConvSpec(b.strideH, b.strideW, b.padding, b.dilationH, b.dilationW, b.groups),
                b.samePadding,
                b.activation);
    }

    private Conv2d(Tensor weight, Tensor bias, ConvSpec spec, boolean samePadding, Activation activation) {
        this.weight = parameter("weight", weight, true);
        this.bias = bias == null ? null : parameter("bias", bias, false);
        this.spec = spec;
        this.samePadding = samePadding;
        this.activation = activation;
    }

    /** Square kernel. */
    public static Builder builder(int inChannels, int outChannels, int kernel) {
        return builder(inChannels, outChannels, kernel, kernel);
    }

    public static Builder builder(int inChannels, int outChannels, int kernelH, int kernelW) {
        return new Builder(inChannels, outChannels, kernelH, kernelW);
    }

    public Parameter weight() {
        return weight;
    }

    /** Null without one. */
    public Parameter bias() {
        return bias;
    }

    /** Its geometry; with "same" padding, for the size of the last input. */
    public ConvSpec spec() {
        return spec;
    }

    /** Its geometry for an input of that size. */
    public ConvSpec specFor(int height, int width) {
        fitPadding(height, width);
        return spec;
    }

    /** In the same pass, after the bias. */
    public Activation activation() {
        return activation;
    }

    @Override
    protected void appendTo(InferenceChain chain) {
        chain.addFoldable(this, new FoldedLayer(this::convolve, weight.value(), biasValue(), activation));
    }

    @Override
    protected Tensor forward(Tensor input) {
        return convolve(input, weight.value(), biasValue(), activation);
    }

    @Override
    ConcatBranch branch(Tensor input) {
        return ConcatBranch.activated(convolve(input, weight.value(), biasValue(), Activation.NONE), activation);
    }

    private Tensor biasValue() {
        return bias == null ? null : bias.value();
    }

    private Tensor convolve(Tensor input, Tensor filters, Tensor biases, Activation after) {
        if (input.shape().rank() == 4) {
            fitPadding(input.shape().dim(1), input.shape().dim(2));
        }
        return Convolution.conv2d(input, filters, biases, spec, after);
    }

    private void fitPadding(int height, int width) {
        if (samePadding && (height != specHeight || width != specWidth)) {
            int kernelH = spec.dilationH() * (weight.value().shape().dim(1) - 1) + 1;
            int kernelW = spec.dilationW() * (weight.value().shape().dim(2) - 1) + 1;
            Padding vertical = Padding.same(height, width, kernelH, kernelW, spec.strideH());
            Padding horizontal = Padding.same(height, width, kernelH, kernelW, spec.strideW());
            spec = spec.withPadding(
                    new Padding(vertical.top(), vertical.bottom(), horizontal.left(), horizontal.right()));
            specHeight = height;
            specWidth = width;
        }
    }

    @Override
    String summaryType() {
        return type() + ActivationLayer.plus(activation);
    }

    @Override
    protected String settings() {
        Shape w = weight.value().shape();
        return w.dim(3) * spec.groups() + " -> " + w.dim(0) + ", kernel=" + w.dim(1) + "x" + w.dim(2) + ", stride="
                + spec.strideH() + "x"
                + spec.strideW() + ", padding=" + (samePadding ? "same" : Geometry.text(spec.padding()))
                + (spec.dilationH() * spec.dilationW() == 1
                        ? ""
                        : ", dilation=" + spec.dilationH() + "x" + spec.dilationW())
                + (spec.groups() == 1 ? "" : ", groups=" + spec.groups()) + (bias == null ? ", no bias" : "")
                + ActivationLayer.suffix(activation);
    }

    /** Settings with the usual defaults: stride 1, no padding, no dilation, one group, with bias, Glorot uniform weights, zero bias. */
    public static final class Builder {
        private final int inChannels;
        private final int outChannels;
        private final int kernelH;
        private final int kernelW;
        private int strideH = 1;
        private int strideW = 1;
        private Padding padding = Padding.NONE;
        private boolean samePadding;
        private int dilationH = 1;
        private int dilationW = 1;
        private int groups = 1;
        private boolean bias = true;
        private Activation activation = Activation.NONE;
        private Initializer initializer = Initializer.glorotUniform();
        private Initializer biasInitializer = Initializer.zeros();

        private Builder(int inChannels, int outChannels, int kernelH, int kernelW) {
            this.inChannels = inChannels;
            this.outChannels = outChannels;
            this.kernelH = kernelH;
            this.kernelW = kernelW;
        }

        public Builder stride(int stride) {
            return stride(stride, stride);
        }

        public Builder stride(int vertical, int horizontal) {
            strideH = vertical;
            strideW = horizontal;
            return this;
        }

        /** The same on all four sides. */
        public Builder padding(int all) {
            return padding(Padding.of(all));
        }

        public Builder padding(Padding newPadding) {
            padding = newPadding;
            samePadding = false;
            return this;
        }

        /** TensorFlow's and Keras's "same" for whatever size the input has: P = ceil(H / stride), see {@link Padding#same}. */
        public Builder samePadding() {
            samePadding = true;
            return this;
        }

        public Builder dilation(int dilation) {
            dilationH = dilation;
            dilationW = dilation;
            return this;
        }

        public Builder groups(int count) {
            groups = count;
            return this;
        }

        public Builder bias(boolean on) {
            bias = on;
            return this;
        }

        /** Applied to the result in the same pass. */
        public Builder activation(Activation newActivation) {
            activation = newActivation;
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

        public Conv2d build() {
            return new Conv2d(this);
        }

        private int groupChannels() {
            if (groups < 1 || inChannels % groups != 0 || outChannels % groups != 0) {
                throw new IllegalArgumentException("Conv2d: in and out channels must be multiples of groups: in="
                        + inChannels + ", out=" + outChannels + ", groups=" + groups);
            }
            return inChannels / groups;
        }
    }
}
