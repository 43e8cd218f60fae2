package tenon.engine.ops;

import static tenon.engine.autograd.Autograd.save;

import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.autograd.Autograd;
import tenon.engine.backend.Backend;
import tenon.engine.backend.OpKind;

/** Fully connected layer with the bias fused. */
public final class Dense {
    private Dense() {}

    /**
     * output = input·weightᵀ + bias. Saves the input if the weight is trained, and the weight if the input's gradient is wanted.
     *
     * @param input [N, I]
     * @param weight [O, I], in the input's dtype; F32 for a BF16 input, and rounded to BF16 where it is multiplied
     * @param bias [O] in the weight's dtype, or null
     * @return [N, O] in the input's dtype
     */
    public static Tensor dense(Tensor input, Tensor weight, Tensor bias) {
        return dense(input, weight, bias, Activation.NONE);
    }

    /**
     * As {@link #dense(Tensor, Tensor, Tensor)} with an activation in the same pass, in BF16 without rounding in between. Saves the result too, as
     * the activation alone would. On the CPU back-end ReLU may make 0 of NaN here.
     */
    public static Tensor dense(Tensor input, Tensor weight, Tensor bias, Activation activation) {
        Backend backend = Checks.backend("dense", OpKind.DENSE, input, weight, bias);
        Checks.parameters("dense", input, weight, bias);
        Checks.rank("dense", "input", input, 2, "[N, I]");
        Checks.rank("dense", "weight", weight, 2, "[O, I]");
        int features = weight.shape().dim(1);
        if (input.shape().dim(1) != features) {
            throw new ShapeException(
                    TenonException.where("dense") + ": last input dimension must equal the weight's inFeatures: input="
                            + input.shape() + ", inFeatures=" + features);
        }
        int out = weight.shape().dim(0);
        if (bias != null) {
            Checks.shape("dense", "bias", bias, Shape.of(out));
        }
        boolean activated = activation.kind() != Activation.Kind.NONE;
        if (activated) {
            backend.require("dense", Activations.kind(activation), input.dtype());
        }
        Tensor output = Tensor.empty(backend, Shape.of(input.shape().dim(0), out), input.dtype());
        backend.dense().forward(input, weight, bias, activation, output);
        boolean trained = weight.requiresGrad() || bias != null && bias.requiresGrad();
        return Autograd.record(
                "dense",
                save(input, weight, bias),
                output,
                save(trained ? input : null, input.requiresGrad() ? weight : null, activated ? output : null),
                (saved, grads) -> {
                    Tensor gradient = activated ? Activations.backward(activation, saved[2], grads) : grads.output();
                    if (grads.wanted(0)) {
                        backend.dense().backwardInput(gradient, saved[1], grads.target(0));
                    }
                    if (grads.wanted(1) || grads.wanted(2)) {
                        Tensor gradWeight = grads.wanted(1)
                                ? grads.target(1)
                                : Tensor.empty(backend, weight.shape(), weight.dtype());
                        backend.dense()
                                .backwardWeight(
                                        saved[0], gradient, gradWeight, grads.wanted(2) ? grads.target(2) : null);
                    }
                });
    }
}
