package tenon.engine.backend;

import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.ops.BatchNormSpec;

/**
 * Batch normalization over the last dimension of [N, …, C]; gamma, beta and all statistics are [C], F32 (F64 in the reference's F64 mode). gamma is
 * null when frozen, beta null when absent.
 */
public interface NormalizationKernels {
    /**
     * Training: normalizes by the batch's own statistics.
     *
     * @param batchMean out: mean over all but the last dimension
     * @param batchVariance out: biased variance, computed in two passes or by Welford's method
     * @param workspace out: for the fused ReLU, U8 of the input's shape, or null without activation; private to the back-end
     */
    void trainForward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor output,
            Tensor batchMean,
            Tensor batchVariance,
            Tensor workspace);

    /** DType of the fused activation's workspace. */
    default DType workspaceType() {
        return DType.U8;
    }

    /** Overwrites gradInput and, unless null, gradGamma and gradBeta. gradInput may be null when only the parameters are trained. */
    void backward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor batchMean,
            Tensor batchVariance,
            Tensor workspace,
            Tensor gradOutput,
            Tensor gradInput,
            Tensor gradGamma,
            Tensor gradBeta);

    /** Inference: normalizes by the running statistics. */
    void inferForward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            Tensor output);

    /**
     * Gradients of {@link #inferForward}, where the statistics are constants: a network fine-tuned with frozen statistics.
     *
     * @param output the forward result when an activation is fused, else null
     */
    void inferBackward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor runningMean,
            Tensor runningVariance,
            Tensor output,
            Tensor gradOutput,
            Tensor gradInput,
            Tensor gradGamma,
            Tensor gradBeta);

    /** running = (1 − momentum)·running + momentum·factor·batch, elementwise over [C]. */
    void movingAverage(Tensor running, Tensor batch, double momentum, double factor);
}
