package tenon.engine.ops;

import static tenon.engine.autograd.Autograd.save;

import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.autograd.Autograd;
import tenon.engine.autograd.Gradients;
import tenon.engine.backend.Backend;
import tenon.engine.backend.OpKind;

/** Elementwise activations over tensors of any shape, and the fused addition. Each saves its output (PReLU: its input) for backward. */
public final class Activations {
    private Activations() {}

    public static Tensor relu(Tensor input) {
        return activate(input, Activation.RELU);
    }

    public static Tensor relu6(Tensor input) {
        return activate(input, Activation.RELU6);
    }

    public static Tensor leakyRelu(Tensor input, float slope) {
        return activate(input, Activation.leakyRelu(slope));
    }

    public static Tensor elu(Tensor input, float alpha) {
        return activate(input, Activation.elu(alpha));
    }

    public static Tensor sigmoid(Tensor input) {
        return activate(input, Activation.SIGMOID);
    }

    public static Tensor tanh(Tensor input) {
        return activate(input, Activation.TANH);
    }

    /** Any activation; NONE returns the input itself. */
    public static Tensor activate(Tensor input, Activation activation) {
        if (activation.kind() == Activation.Kind.NONE) {
            return input;
        }
        String op = activation.opName();
        Backend backend = Checks.backend(op, kind(activation), input);
        Tensor output = Tensor.empty(backend, input.shape(), input.dtype());
        backend.activation().forward(activation, input, output);
        return Autograd.record(
                op,
                save(input),
                output,
                save(output),
                (saved, grads) ->
                        backend.activation().backward(activation, saved[0], grads.output(), grads.targetInPlace(0)));
    }

    /**
     * x for x &gt; 0, slope_c·x otherwise (He et al. 2015, "Delving deep into rectifiers", eq. 1).
     *
     * @param input [N, …, C]
     * @param slope [C], F32 also for a BF16 input
     */
    public static Tensor prelu(Tensor input, Tensor slope) {
        Backend backend = Checks.backend("prelu", OpKind.PRELU, input, slope);
        Checks.parameters("prelu", input, slope, null);
        Checks.shape("prelu", "slope", slope, Shape.of(input.shape().dim(-1)));
        Tensor output = Tensor.empty(backend, input.shape(), input.dtype());
        backend.activation().preluForward(input, slope, output);
        return Autograd.record(
                "prelu",
                save(input, slope),
                output,
                save(input, slope),
                (saved, grads) -> backend.activation()
                        .preluBackward(
                                saved[0],
                                saved[1],
                                grads.output(),
                                grads.wanted(0) ? grads.targetInPlace(0) : null,
                                grads.wanted(1) ? grads.target(1) : null));
    }

    /** activation(a + b) in one pass; shapes are equal. NONE is a plain addition. */
    public static Tensor addActivation(Tensor a, Tensor b, Activation activation) {
        Backend backend = Checks.backend("add_activation", OpKind.ADD_ACTIVATION, a, b);
        Checks.sameDType("add_activation", a, b);
        Checks.sameShape("add_activation", a, b);
        Tensor output = Tensor.empty(backend, a.shape(), a.dtype());
        backend.activation().addForward(activation, a, b, output);
        boolean linear = activation.kind() == Activation.Kind.NONE;
        return Autograd.record(
                "add_activation",
                save(a, b),
                output,
                linear ? Autograd.saveNothing() : save(output),
                (saved, grads) -> {
                    Tensor gradient = grads.output();
                    if (!linear) {
                        Tensor gradSum = gradient.isShared()
                                ? Tensor.empty(backend, gradient.shape(), gradient.dtype())
                                : gradient;
                        backend.activation().backward(activation, saved[0], gradient, gradSum);
                        gradient = gradSum;
                    }
                    grads.give(0, gradient);
                    grads.give(1, gradient);
                });
    }

    /**
     * Gradient in front of an activation that was fused into another op: in the memory of the output's gradient where nobody else holds that, else in
     * a temporary.
     *
     * @param output what the activation returned
     */
    static Tensor backward(Activation activation, Tensor output, Gradients grads) {
        Tensor gradient = grads.output();
        Tensor before =
                gradient.isShared() ? Tensor.empty(gradient.backend(), gradient.shape(), gradient.dtype()) : gradient;
        gradient.backend().activation().backward(activation, output, gradient, before);
        return before;
    }

    static OpKind kind(Activation activation) {
        return switch (activation.kind()) {
            case NONE, RELU -> OpKind.RELU;
            case RELU6 -> OpKind.RELU6;
            case LEAKY_RELU -> OpKind.LEAKY_RELU;
            case ELU -> OpKind.ELU;
            case SIGMOID -> OpKind.SIGMOID;
            case TANH -> OpKind.TANH;
        };
    }
}
