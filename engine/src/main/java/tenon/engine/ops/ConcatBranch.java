package tenon.engine.ops;

import tenon.engine.Tensor;

/**
 * A part of a concatenation with the op that ends it, which then writes its result to its place at once: see {@link Channels#join}.
 *
 * @param input [N, …, C]
 * @param activation applied to the input; NONE copies it. Unused with {@code norm}, which has its own
 * @param norm batch norm of the input, or null; the tensors and the flag after it are {@link Normalization#batchNorm}'s
 */
public record ConcatBranch(
        Tensor input,
        Activation activation,
        BatchNormSpec norm,
        Tensor gamma,
        Tensor beta,
        Tensor runningMean,
        Tensor runningVariance,
        boolean training) {
    public static ConcatBranch of(Tensor input) {
        return activated(input, Activation.NONE);
    }

    /** activation(input) */
    public static ConcatBranch activated(Tensor input, Activation activation) {
        return new ConcatBranch(input, activation, null, null, null, null, null, false);
    }

    /** Batch norm of the input, see {@link Normalization#batchNorm}. */
    public static ConcatBranch normalized(
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            BatchNormSpec norm,
            boolean training) {
        return new ConcatBranch(input, Activation.NONE, norm, gamma, beta, runningMean, runningVariance, training);
    }

    int channels() {
        return input.shape().dim(-1);
    }

    /** Whether the gradient needs the result: an activation's, but not that of a batch norm, which computes it again. */
    boolean needsOutput() {
        return norm == null && activation.kind() != Activation.Kind.NONE;
    }
}
