package tenon.optim;

import java.util.function.ToDoubleFunction;
import tenon.layers.Parameter;

/**
 * What the optimizers share: weight decay, learning rates of single parameters, a factor for all gradients, clipping.
 *
 * <pre>{@code
 * UpdateRules rules = UpdateRules.weightDecay(5e-4).onAllParameters().clipGlobalNorm(10);
 * }</pre>
 *
 * @param weightDecay λ ≥ 0; whether it is added to the gradient (L2) or decoupled is the optimizer's business
 * @param decaysAll false: only parameters that ask for it ({@link Parameter#decays}: weights, not biases, batch norm's gamma and beta or PReLU's
 *     slopes); true: all
 * @param rateScale factor of the learning rate per parameter, read once when the optimizer is made
 * @param rescale factor of every gradient before anything else, e.g. 1 / batch for losses that sum
 * @param clipping how gradients are limited
 * @param clipNorm largest norm after clipping, for the gradients times {@code rescale}
 */
public record UpdateRules(
        double weightDecay,
        boolean decaysAll,
        ToDoubleFunction<Parameter> rateScale,
        double rescale,
        Clipping clipping,
        double clipNorm) {
    /** How gradients are limited. */
    public enum Clipping {
        NONE,
        /** All gradients shrink by one factor when their joint Euclidean norm is too large (Pascanu et al. 2013, algorithm 1). */
        GLOBAL_NORM,
        /** Each parameter's gradient shrinks on its own. */
        EACH_NORM
    }

    /** No decay, every parameter at the full rate, gradients as they are. */
    public static final UpdateRules PLAIN = new UpdateRules(0, false, _ -> 1, 1, Clipping.NONE, 0);

    public UpdateRules {
        if (!(weightDecay >= 0 && weightDecay < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "optimizer: weightDecay must be finite and at least 0: weightDecay=" + weightDecay);
        }
        if (!Double.isFinite(rescale)) {
            throw new IllegalArgumentException("optimizer: rescale must be finite: rescale=" + rescale);
        }
        if (clipping != Clipping.NONE && !(clipNorm > 0 && clipNorm < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("optimizer: clipNorm must be positive: clipNorm=" + clipNorm);
        }
    }

    /** Decay of the parameters that ask for it; see {@link #onAllParameters}. */
    public static UpdateRules weightDecay(double weightDecay) {
        return new UpdateRules(weightDecay, false, PLAIN.rateScale, 1, Clipping.NONE, 0);
    }

    /** Decays biases and batch norm's parameters too, as an MXNet optimizer does that was not told the parameters' names. */
    public UpdateRules onAllParameters() {
        return new UpdateRules(weightDecay, true, rateScale, rescale, clipping, clipNorm);
    }

    public UpdateRules withRateScale(ToDoubleFunction<Parameter> newRateScale) {
        return new UpdateRules(weightDecay, decaysAll, newRateScale, rescale, clipping, clipNorm);
    }

    public UpdateRules withRescale(double newRescale) {
        return new UpdateRules(weightDecay, decaysAll, rateScale, newRescale, clipping, clipNorm);
    }

    public UpdateRules clipGlobalNorm(double norm) {
        return new UpdateRules(weightDecay, decaysAll, rateScale, rescale, Clipping.GLOBAL_NORM, norm);
    }

    public UpdateRules clipEachNorm(double norm) {
        return new UpdateRules(weightDecay, decaysAll, rateScale, rescale, Clipping.EACH_NORM, norm);
    }
}
