package tenon.optim;

import java.util.List;
import java.util.Map;
import tenon.engine.Tensor;
import tenon.engine.backend.UpdateKernels;
import tenon.layers.Parameter;

/**
 * Adam (Kingma and Ba 2015, algorithm 1), and AdamW (Loshchilov and Hutter 2019, algorithm 2). In step t, from 1:
 *
 * <pre>
 * g = rescale·grad + weightDecay·w                          Adam: L2 decay, part of the gradient
 * w = w − rate·rateScale·weightDecay·w                      AdamW: decoupled decay, before the step; g = rescale·grad
 * m = β1·m + (1 − β1)·g                                     m and v start at 0
 * v = β2·v + (1 − β2)·g²
 * w = w − rate·rateScale·(m / (1 − β1^t)) / (√(v / (1 − β2^t)) + ε)
 * </pre>
 *
 * ε stands outside the root and after the bias correction, as in the paper. t counts all steps of the optimizer, also those in which a parameter was
 * frozen.
 */
public final class Adam extends Optimizer {
    private final double beta1;
    private final double beta2;
    private final double epsilon;
    private final boolean decoupled;

    /** Adam with the paper's β1 = 0.9, β2 = 0.999, ε = 1e-8 (Keras 2 takes 1e-7). */
    public Adam(List<Parameter> parameters, UpdateRules rules) {
        this(parameters, 0.9, 0.999, 1e-8, false, rules);
    }

    /** @param decoupled true for AdamW */
    public Adam(
            List<Parameter> parameters,
            double beta1,
            double beta2,
            double epsilon,
            boolean decoupled,
            UpdateRules rules) {
        Arguments.fraction("Adam", "beta1", beta1);
        Arguments.fraction("Adam", "beta2", beta2);
        Arguments.positive("Adam", "epsilon", epsilon);
        super(parameters, rules, "firstMoment", "secondMoment");
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.epsilon = epsilon;
        this.decoupled = decoupled;
    }

    /** AdamW with β1 = 0.9, β2 = 0.999, ε = 1e-8. */
    public static Adam decoupled(List<Parameter> parameters, UpdateRules rules) {
        return new Adam(parameters, 0.9, 0.999, 1e-8, true, rules);
    }

    @Override
    void update(UpdateKernels updates, Tensor[][] slot, float rate, float rescale, Tensor clip) {
        updates.adam(
                weight(),
                grad(),
                slot[0],
                slot[1],
                rate,
                (float) beta1,
                (float) beta2,
                (float) epsilon,
                Math.toIntExact(stepCount()),
                decoupled,
                rescale,
                clip,
                weightDecay(),
                rateScale());
    }

    @Override
    public Map<String, String> settings() {
        Map<String, String> settings = super.settings();
        settings.put("beta1", Double.toString(beta1));
        settings.put("beta2", Double.toString(beta2));
        settings.put("epsilon", Double.toString(epsilon));
        settings.put("decoupled", Boolean.toString(decoupled));
        return settings;
    }
}
