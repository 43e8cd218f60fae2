package tenon.engine.backend;

import tenon.engine.Tensor;
import tenon.engine.ops.BatchNormSpec;

/**
 * Batch normalization over the last dimension of [N, …, C]. Input, shortcut, output and their gradients have one dtype; gamma, beta, their gradients and all
 * statistics are [C], F32 (F64 in the reference's F64 mode). gamma is null when frozen, beta null when absent.
 *
 * <p>The result may be a channel range of a wider tensor: output and gradOutput are [N, …, C'] with channels [offset, offset + C) being the op's. With a
 * shortcut the offset is 0 and C' is C.
 */
public interface NormalizationKernels {
    /**
     * Training: normalizes by the batch's own statistics, and moves the running ones as the spec says.
     *
     * @param shortcut added before the activation, of the input's shape, or null
     * @param batchMean out: mean over all but the last dimension
     * @param batchVariance out: biased variance, without cancellation where the mean is large
     */
    void trainForward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            Tensor shortcut,
            Tensor output,
            int offset,
            Tensor batchMean,
            Tensor batchVariance);

    /** Inference: normalizes by the running statistics. */
    void inferForward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            Tensor shortcut,
            Tensor output,
            int offset);

    /**
     * Gradients of {@link #trainForward}, or of {@link #inferForward}, where the statistics are constants. Overwrites those that are not null.
     *
     * @param beta null if absent; it decides where the activation passed
     * @param mean that the forward pass used
     * @param variance that the forward pass used
     * @param constantStatistics whether they are constants
     * @param output the forward result if the spec has an activation and there was a shortcut, else null; with it goes a gradInput or gradShortcut
     * @param gradInput may share gradOutput's memory if that has the same shape
     * @param gradShortcut gradOutput where the activation passed; may share gradOutput's memory, but not gradInput's. Null without activation, where it is
     *     gradOutput
     */
    void backward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor mean,
            Tensor variance,
            boolean constantStatistics,
            Tensor output,
            Tensor gradOutput,
            int offset,
            Tensor gradInput,
            Tensor gradShortcut,
            Tensor gradGamma,
            Tensor gradBeta);
}
