package tenon.engine.ops;

import static tenon.engine.autograd.Autograd.save;

import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.autograd.Autograd;
import tenon.engine.backend.Backend;
import tenon.engine.backend.OpKind;

/** 2-D convolution with the bias fused. */
public final class Convolution {
    private Convolution() {}

    /**
     * output(n, p, q, k) = bias(k) + Σ_{r,s,c} input(n, p·strideH − top + r·dilationH, q·strideW − left + s·dilationW, c)·weight(k, r, s, c), within
     * k's group; outside the image the input is 0. Saves the input if the weight is trained, and the weight if the input's gradient is wanted.
     *
     * @param input [N, H, W, C]
     * @param weight [K, R, S, C / groups], in the input's dtype; F32 for a BF16 input, and rounded to BF16 where it is multiplied
     * @param bias [K] in the weight's dtype, or null
     * @return [N, P, Q, K] in the input's dtype
     */
    public static Tensor conv2d(Tensor input, Tensor weight, Tensor bias, ConvSpec spec) {
        return conv2d(input, weight, bias, spec, Activation.NONE);
    }

    /**
     * As {@link #conv2d(Tensor, Tensor, Tensor, ConvSpec)} with an activation in the same pass, in BF16 without rounding in between. Saves the result too, as
     * the activation alone would. On the CPU back-end ReLU may make 0 of NaN here.
     */
    public static Tensor conv2d(Tensor input, Tensor weight, Tensor bias, ConvSpec spec, Activation activation) {
        Backend backend = Checks.backend("conv2d", OpKind.CONV2D, input, weight, bias);
        Checks.parameters("conv2d", input, weight, bias);
        Shape shape = spec.outputShape(input.shape(), weight.shape(), bias == null ? null : bias.shape());
        boolean activated = activation.kind() != Activation.Kind.NONE;
        if (activated) {
            backend.require("conv2d", Activations.kind(activation), input.dtype());
        }
        Tensor output = Tensor.empty(backend, shape, input.dtype());
        backend.convolution().forward(spec, input, weight, bias, activation, output);
        boolean trained = weight.requiresGrad() || bias != null && bias.requiresGrad();
        return Autograd.record(
                "conv2d",
                save(input, weight, bias),
                output,
                save(trained ? input : null, input.requiresGrad() ? weight : null, activated ? output : null),
                (saved, grads) -> {
                    Tensor gradient = activated ? Activations.backward(activation, saved[2], grads) : grads.output();
                    if (grads.wanted(0)) {
                        Tensor sum = grads.accumulator(0);
                        if (sum != null && backend.convolution().accumulateInput(spec, gradient, saved[1], sum)) {
                            grads.give(0, sum);
                        } else {
                            backend.convolution().backwardInput(spec, gradient, saved[1], grads.target(0));
                        }
                    }
                    if (grads.wanted(1) || grads.wanted(2)) {
                        Tensor gradWeight = grads.wanted(1)
                                ? grads.target(1)
                                : Tensor.empty(backend, weight.shape(), weight.dtype());
                        backend.convolution()
                                .backwardWeight(
                                        spec, saved[0], gradient, gradWeight, grads.wanted(2) ? grads.target(2) : null);
                    }
                });
    }
}
