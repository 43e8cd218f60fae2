package tenon.optim;

import java.util.List;
import java.util.Map;
import tenon.engine.Tensor;
import tenon.engine.backend.UpdateKernels;
import tenon.layers.Parameter;

/**
 * RMSprop (Tieleman and Hinton 2012, "Neural networks for machine learning", lecture 6.5):
 *
 * <pre>
 * g = rescale·grad + weightDecay·w
 * s = decay·s + (1 − decay)·g²              s starts at 0
 * d = g / (√s + ε)                          ε outside the root, as in Keras and PyTorch
 * b = momentum·b + d                        b starts at 0; with momentum 0 it is d and not kept
 * w = w − rate·rateScale·b
 * </pre>
 */
public final class RmsProp extends Optimizer {
    private final double decay;
    private final double epsilon;
    private final double momentum;

    /** With the lecture's decay 0.9, Keras 2's ε = 1e-7 and no momentum. */
    public RmsProp(List<Parameter> parameters, UpdateRules rules) {
        this(parameters, 0.9, 1e-7, 0, rules);
    }

    public RmsProp(List<Parameter> parameters, double decay, double epsilon, double momentum, UpdateRules rules) {
        Arguments.fraction("RmsProp", "decay", decay);
        Arguments.positive("RmsProp", "epsilon", epsilon);
        Arguments.fraction("RmsProp", "momentum", momentum);
        super(
                parameters,
                rules,
                momentum == 0 ? new String[] {"squareAverage"} : new String[] {"squareAverage", "buffer"});
        this.decay = decay;
        this.epsilon = epsilon;
        this.momentum = momentum;
    }

    @Override
    void update(UpdateKernels updates, Tensor[][] slot, float rate, float rescale, Tensor clip) {
        updates.rmsprop(
                weight(),
                grad(),
                slot[0],
                momentum == 0 ? null : slot[1],
                rate,
                (float) decay,
                (float) epsilon,
                (float) momentum,
                rescale,
                clip,
                weightDecay(),
                rateScale());
    }

    @Override
    public Map<String, String> settings() {
        Map<String, String> settings = super.settings();
        settings.put("decay", Double.toString(decay));
        settings.put("epsilon", Double.toString(epsilon));
        settings.put("momentum", Double.toString(momentum));
        return settings;
    }
}
