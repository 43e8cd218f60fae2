package tenon.engine.ops;

/**
 * Settings of batch normalization (Ioffe and Szegedy 2015, algorithm 1).
 *
 * @param epsilon added to the variance before the root
 * @param momentum weight of the new batch in the running averages: running = (1 − momentum)·running + momentum·batch (PyTorch's convention;
 *     Keras' and MXNet's "momentum 0.99" is 0.01 here)
 * @param frozenGamma gamma is taken as 1 and gets no gradient (MXNet's {@code fix_gamma})
 * @param unbiasedRunningVariance the running average takes the batch variance times n / (n − 1), as PyTorch, Keras (fused) and cuDNN do; false
 *     keeps the biased one (MXNet on the CPU). Normalization itself always uses the biased one.
 * @param activation fused after the affine map: NONE, RELU or RELU6
 */
public record BatchNormSpec(
        double epsilon, double momentum, boolean frozenGamma, boolean unbiasedRunningVariance, Activation activation) {
    public BatchNormSpec {
        if (!(epsilon > 0) || !(momentum >= 0 && momentum <= 1)) {
            throw new IllegalArgumentException("batch_norm: epsilon must be positive and momentum in [0, 1]: epsilon="
                    + epsilon + ", momentum=" + momentum);
        }
        if (!canFuse(activation)) {
            throw new IllegalArgumentException(
                    "batch_norm: the fused activation must be none, relu or relu6: activation=" + activation.opName());
        }
    }

    /** Whether an activation can follow in the same pass: NONE, RELU and RELU6 can. */
    public static boolean canFuse(Activation activation) {
        return activation.kind() == Activation.Kind.NONE || ceiling(activation) > 0;
    }

    /** The fused activation is a clamp to [0, ceiling]: 6 for RELU6, infinite for RELU. 0 where there is none. */
    public float ceiling() {
        return ceiling(activation);
    }

    private static float ceiling(Activation activation) {
        return switch (activation.kind()) {
            case RELU -> Float.POSITIVE_INFINITY;
            case RELU6 -> 6;
            default -> 0;
        };
    }

    /** PyTorch's defaults: epsilon 1e-5, momentum 0.1. */
    public static BatchNormSpec defaults() {
        return new BatchNormSpec(1e-5, 0.1, false, true, Activation.NONE);
    }

    /** Keras's defaults: epsilon 1e-3, momentum 0.99 (0.01 in this convention). */
    public static BatchNormSpec keras() {
        return new BatchNormSpec(1e-3, 0.01, false, true, Activation.NONE);
    }

    /**
     * MXNet's defaults: epsilon 1e-3, momentum 0.9 (0.1 in this convention), gamma frozen at 1; the running variance is the unbiased one, as in
     * its cuDNN builds.
     */
    public static BatchNormSpec mxnet() {
        return new BatchNormSpec(1e-3, 0.1, true, true, Activation.NONE);
    }

    public BatchNormSpec withMomentum(double newMomentum) {
        return new BatchNormSpec(epsilon, newMomentum, frozenGamma, unbiasedRunningVariance, activation);
    }

    public BatchNormSpec withFrozenGamma(boolean frozen) {
        return new BatchNormSpec(epsilon, momentum, frozen, unbiasedRunningVariance, activation);
    }

    public BatchNormSpec withActivation(Activation newActivation) {
        return new BatchNormSpec(epsilon, momentum, frozenGamma, unbiasedRunningVariance, newActivation);
    }
}
