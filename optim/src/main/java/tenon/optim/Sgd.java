package tenon.optim;

import java.util.List;
import java.util.Map;
import tenon.engine.Tensor;
import tenon.engine.backend.UpdateKernels;
import tenon.layers.Parameter;

/**
 * Stochastic gradient descent with momentum (Sutskever et al. 2013, "On the importance of initialization and momentum", equations 1–4, in PyTorch's
 * form with dampening 0):
 *
 * <pre>
 * g = rescale·grad + weightDecay·w          L2 decay: part of the gradient, goes through the momentum
 * v = momentum·v + g                        v starts at 0
 * w = w − rate·rateScale·v                  or, with Nesterov, w − rate·rateScale·(g + momentum·v)
 * </pre>
 *
 * The rate multiplies the velocity. MXNet, Keras and Caffe fold it into the velocity (v = momentum·v − rate·g; w += v), which is the same for a constant rate;
 * after a change of the rate their steps keep the old rate's velocity for about 1 / (1 − momentum) updates.
 */
public final class Sgd extends Optimizer {
    private final double momentum;
    private final boolean nesterov;

    /** Plain gradient descent: no state. */
    public Sgd(List<Parameter> parameters, UpdateRules rules) {
        this(parameters, 0, false, rules);
    }

    /** @param momentum in [0, 1); 0 keeps no state */
    public Sgd(List<Parameter> parameters, double momentum, boolean nesterov, UpdateRules rules) {
        Arguments.fraction("Sgd", "momentum", momentum);
        if (nesterov && momentum == 0) {
            throw new IllegalArgumentException("Sgd: Nesterov's step needs momentum above 0: momentum=0");
        }
        super(parameters, rules, momentum == 0 ? new String[0] : new String[] {"velocity"});
        this.momentum = momentum;
        this.nesterov = nesterov;
    }

    @Override
    void update(UpdateKernels updates, Tensor[][] slot, float rate, float rescale, Tensor clip) {
        updates.sgd(
                weight(),
                grad(),
                momentum == 0 ? null : slot[0],
                rate,
                (float) momentum,
                nesterov,
                rescale,
                clip,
                weightDecay(),
                rateScale());
    }

    @Override
    public Map<String, String> settings() {
        Map<String, String> settings = super.settings();
        settings.put("momentum", Double.toString(momentum));
        settings.put("nesterov", Boolean.toString(nesterov));
        return settings;
    }
}
