package tenon.layers;

import tenon.engine.GradMode;
import tenon.engine.Tensor;

/**
 * A trained network in the form in which it is only used: batch norm directly behind a convolution or dense layer is folded into weight and bias,
 * activations are part of the layer in front of them, dropout is gone. Input and output are the network's, in evaluation mode and without gradients; values
 * agree up to rounding, since a fold changes the order of multiplications.
 *
 * <p>Folded weights belong to the scope that is current at construction and do not follow later changes of the network; all others are the
 * network's own, which must stay open and in evaluation mode.
 */
public final class InferenceForm extends Module {
    private final InferenceChain chain;

    private InferenceForm(InferenceChain chain) {
        this.chain = chain;
    }

    /** Puts the network into evaluation mode. */
    public static InferenceForm of(Module network) {
        network.eval();
        try (var _ = GradMode.noGrad()) {
            InferenceChain chain = InferenceChain.of();
            network.appendTo(chain);
            InferenceForm form = new InferenceForm(chain);
            form.eval();
            form.computeIn(network.precision());
            return form;
        }
    }

    @Override
    protected Tensor forward(Tensor input) {
        try (var _ = GradMode.noGrad()) {
            return chain.run(input);
        }
    }

    @Override
    protected String settings() {
        return chain.toString();
    }
}
