package tenon.engine.backend;

import java.lang.foreign.ValueLayout;
import tenon.engine.Tensor;

/**
 * Optimizer updates, one pass over memory each, all parameters in one call. Arrays run in parallel: index i is parameter i, all F32 of equal shape
 * per index (F64 on the reference back-end). Per-parameter {@code weightDecay} and {@code rateScale} allow groups. State with magnitude below the
 * smallest normal float is flushed to zero, because denormal arithmetic is a hundred times slower.
 *
 * <p>Gradients are multiplied by {@code rescale} and, where {@code clip} is not null, by its first element, which {@link #clipFactor} has computed: on a device nobody waits for it.
 */
public interface UpdateKernels {
    /**
     * g = rescale·grad + weightDecay·w; v = momentum·v + g; w −= rate·(nesterov ? g + momentum·v : v), as PyTorch's SGD with dampening 0
     * (Sutskever et al. 2013 in the form where the rate multiplies the velocity).
     *
     * @param velocity null when momentum is 0
     */
    void sgd(
            Tensor[] weight,
            Tensor[] grad,
            Tensor[] velocity,
            float rate,
            float momentum,
            boolean nesterov,
            float rescale,
            Tensor clip,
            float[] weightDecay,
            float[] rateScale);

    /**
     * Adam (Kingma and Ba 2015, algorithm 1): g = rescale·grad + weightDecay·w; m = β1·m + (1 − β1)·g; v = β2·v + (1 − β2)·g²;
     * w −= rate·(m / (1 − β1^t)) / (sqrt(v / (1 − β2^t)) + epsilon). With {@code decoupled}, the decay leaves the gradient and
     * w −= rate·weightDecay·w comes first (AdamW, Loshchilov and Hutter 2019).
     *
     * @param t step number, from 1
     */
    void adam(
            Tensor[] weight,
            Tensor[] grad,
            Tensor[] firstMoment,
            Tensor[] secondMoment,
            float rate,
            float beta1,
            float beta2,
            float epsilon,
            int t,
            boolean decoupled,
            float rescale,
            Tensor clip,
            float[] weightDecay,
            float[] rateScale);

    /**
     * RMSprop (Tieleman and Hinton 2012, lecture 6.5): g as in {@link #sgd}; s = decay·s + (1 − decay)·g²; d = g / (sqrt(s) + epsilon);
     * with momentum b = momentum·b + d and w −= rate·b, else w −= rate·d.
     *
     * @param buffer null when momentum is 0
     */
    void rmsprop(
            Tensor[] weight,
            Tensor[] grad,
            Tensor[] squareAverage,
            Tensor[] buffer,
            float rate,
            float decay,
            float epsilon,
            float momentum,
            float rescale,
            Tensor clip,
            float[] weightDecay,
            float[] rateScale);

    /** Sum of the squares of all elements of all tensors, in F64 and a fixed order. */
    double sumOfSquares(Tensor[] tensors);

    /**
     * Limits the joint Euclidean norm of gradients (Pascanu et al. 2013, algorithm 1): with n = |rescale|·‖grad‖, clip = {rescale·min(1, limit / n), n}, computed in F64. Where n is not finite
     * the factor is NaN; in a recorded step, that and all later updates then leave everything as it is, as after {@link StepCapture#guard}.
     *
     * @param limit largest norm of gradients times {@code rescale}, positive
     * @param clip F32 [2]
     */
    default void clipFactor(Tensor[] grad, double rescale, double limit, Tensor clip) {
        double norm = Math.abs(rescale) * Math.sqrt(sumOfSquares(grad));
        double factor = Double.isFinite(norm) ? rescale * (norm > limit ? limit / norm : 1) : Double.NaN;
        clip.upload(new float[] {(float) factor, (float) norm});
    }

    /** The factor that {@code clip} holds in the host's memory; 1 for null. */
    static float factorOf(Tensor clip) {
        return clip == null ? 1 : clip.segment().get(ValueLayout.JAVA_FLOAT, 0);
    }
}
