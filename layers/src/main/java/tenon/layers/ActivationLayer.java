package tenon.layers;

import tenon.engine.Tensor;
import tenon.engine.ops.Activation;
import tenon.engine.ops.Activations;
import tenon.engine.ops.ConcatBranch;

/** An elementwise activation: input and output of any one shape. */
public final class ActivationLayer extends Module {
    private final Activation activation;

    public ActivationLayer(Activation activation) {
        this.activation = activation;
    }

    public static ActivationLayer relu() {
        return new ActivationLayer(Activation.RELU);
    }

    public static ActivationLayer relu6() {
        return new ActivationLayer(Activation.RELU6);
    }

    public static ActivationLayer leakyRelu(float slope) {
        return new ActivationLayer(Activation.leakyRelu(slope));
    }

    /** Keras's and PyTorch's alpha is 1, MXNet's {@code LeakyReLU(act_type="elu")} has 0.25. */
    public static ActivationLayer elu(float alpha) {
        return new ActivationLayer(Activation.elu(alpha));
    }

    public static ActivationLayer sigmoid() {
        return new ActivationLayer(Activation.SIGMOID);
    }

    public static ActivationLayer tanh() {
        return new ActivationLayer(Activation.TANH);
    }

    public Activation activation() {
        return activation;
    }

    @Override
    protected void appendTo(InferenceChain chain) {
        chain.activation(this, activation);
    }

    @Override
    protected Tensor forward(Tensor input) {
        return Activations.activate(input, activation);
    }

    /** The settings of a layer with that activation fused into it, after a comma; empty without. */
    static String suffix(Activation activation) {
        return activation.kind() == Activation.Kind.NONE ? "" : ", " + text(activation);
    }

    /** After the type of a layer: nothing, or e.g. {@code  + relu}. */
    static String plus(Activation activation) {
        return activation.kind() == Activation.Kind.NONE ? "" : " + " + activation.opName();
    }

    @Override
    ConcatBranch branch(Tensor input) {
        return ConcatBranch.activated(input, activation);
    }

    @Override
    protected String settings() {
        return text(activation);
    }

    private static String text(Activation activation) {
        return switch (activation.kind()) {
            case ELU, LEAKY_RELU -> activation.opName() + ", alpha=" + activation.alpha();
            case NONE, RELU, RELU6, SIGMOID, TANH -> activation.opName();
        };
    }
}
