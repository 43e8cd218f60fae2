package tenon.engine.ops;

/**
 * Elementwise activation functions with their parameter.
 *
 * @param alpha ELU: value for x → −∞ (negated); leaky ReLU: slope for x &lt; 0; unused otherwise
 */
public record Activation(Kind kind, float alpha) {
    public enum Kind {
        NONE,
        /** max(x, 0); the gradient at 0 is 0. */
        RELU,
        /** min(max(x, 0), 6); the gradient at 0 and 6 is 0. */
        RELU6,
        /** x for x &gt; 0, alpha·x otherwise. */
        LEAKY_RELU,
        /** x for x &gt; 0, alpha·(e^x − 1) otherwise (Clevert et al. 2015). */
        ELU,
        /** 1 / (1 + e^−x). */
        SIGMOID,
        TANH
    }

    public static final Activation NONE = new Activation(Kind.NONE, 0);
    public static final Activation RELU = new Activation(Kind.RELU, 0);
    public static final Activation RELU6 = new Activation(Kind.RELU6, 0);
    public static final Activation SIGMOID = new Activation(Kind.SIGMOID, 0);
    public static final Activation TANH = new Activation(Kind.TANH, 0);

    public static Activation leakyRelu(float slope) {
        return new Activation(Kind.LEAKY_RELU, slope);
    }

    public static Activation elu(float alpha) {
        return new Activation(Kind.ELU, alpha);
    }

    /** Name of the op in messages and tables. */
    public String opName() {
        return switch (kind) {
            case NONE -> "identity";
            case RELU -> "relu";
            case RELU6 -> "relu6";
            case LEAKY_RELU -> "leaky_relu";
            case ELU -> "elu";
            case SIGMOID -> "sigmoid";
            case TANH -> "tanh";
        };
    }
}
