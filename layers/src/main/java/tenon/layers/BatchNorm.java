package tenon.layers;

import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.ops.Activation;
import tenon.engine.ops.Activations;
import tenon.engine.ops.BatchNormSpec;
import tenon.engine.ops.ConcatBranch;
import tenon.engine.ops.Normalization;

/**
 * Batch normalization over the last dimension: input and output [N, …, C]; parameters {@code gamma} (absent when the spec freezes it at 1) and
 * {@code beta}, buffers {@code runningMean} and {@code runningVariance}, each [C]. Formula and momentum convention are in {@link Normalization} and
 * {@link BatchNormSpec}: Keras's and MXNet's momentum 0.99 is 0.01 here.
 */
public final class BatchNorm extends Module {
    private final BatchNormSpec spec;
    private final Parameter gamma;
    private final Parameter beta;
    private final Buffer runningMean;
    private final Buffer runningVariance;
    private boolean fixedStatistics;

    /** PyTorch's defaults: epsilon 1e-5, momentum 0.1. */
    public BatchNorm(int channels) {
        this(channels, BatchNormSpec.defaults());
    }

    /** Gamma 1, beta 0, running mean 0, running variance 1. */
    public BatchNorm(int channels, BatchNormSpec spec) {
        this(
                spec.frozenGamma() ? null : vector(channels, 1),
                vector(channels, 0),
                vector(channels, 0),
                vector(channels, 1),
                spec);
    }

    /** Ready weights; {@code gamma} is null exactly when the spec freezes it. */
    public BatchNorm(Tensor gamma, Tensor beta, Tensor runningMean, Tensor runningVariance, BatchNormSpec spec) {
        if (spec.frozenGamma() != (gamma == null)) {
            throw new IllegalArgumentException("BatchNorm: gamma must be given exactly when it is not frozen: gamma="
                    + gamma + ", frozenGamma=" + spec.frozenGamma());
        }
        this.spec = spec;
        this.gamma = gamma == null ? null : parameter("gamma", gamma, false);
        this.beta = parameter("beta", beta, false);
        this.runningMean = buffer("runningMean", runningMean);
        this.runningVariance = buffer("runningVariance", runningVariance);
    }

    private static Tensor vector(int channels, double value) {
        return Tensor.full(Shape.of(channels), DType.F32, value);
    }

    public BatchNormSpec spec() {
        return spec;
    }

    /** Null when frozen at 1. */
    public Parameter gamma() {
        return gamma;
    }

    public Parameter beta() {
        return beta;
    }

    public Buffer runningMean() {
        return runningMean;
    }

    public Buffer runningVariance() {
        return runningVariance;
    }

    /** With true, the running statistics are used and kept in training mode too: for fine-tuning with small batches (MXNet's {@code use_global_stats}). */
    public void fixStatistics(boolean fixed) {
        fixedStatistics = fixed;
    }

    @Override
    protected void appendTo(InferenceChain chain) {
        chain.norm(this);
    }

    /** With the running statistics. */
    Tensor evaluate(Tensor input) {
        return Normalization.batchNorm(
                input, gammaValue(), beta.value(), runningMean.value(), runningVariance.value(), spec, false);
    }

    @Override
    protected Tensor forward(Tensor input) {
        return Normalization.batchNorm(
                input,
                gammaValue(),
                beta.value(),
                runningMean.value(),
                runningVariance.value(),
                spec,
                usesBatchStatistics());
    }

    @Override
    public Tensor applyAdding(Tensor input, Tensor shortcut, Activation activation) {
        boolean fused = spec.activation().kind() == Activation.Kind.NONE && BatchNormSpec.canFuse(activation);
        if (!fused || !mayFuse()) {
            return Activations.addActivation(apply(input), shortcut, activation);
        }
        return Normalization.batchNormAdd(
                input,
                shortcut,
                gammaValue(),
                beta.value(),
                runningMean.value(),
                runningVariance.value(),
                spec.withActivation(activation),
                usesBatchStatistics());
    }

    @Override
    ConcatBranch branch(Tensor input) {
        return ConcatBranch.normalized(
                input,
                gammaValue(),
                beta.value(),
                runningMean.value(),
                runningVariance.value(),
                spec,
                usesBatchStatistics());
    }

    private Tensor gammaValue() {
        return gamma == null ? null : gamma.value();
    }

    private boolean usesBatchStatistics() {
        return isTraining() && !fixedStatistics;
    }

    /** Gamma, when it is frozen at 1. */
    @Override
    long constantCount() {
        return gamma == null ? beta.value().elementCount() : 0;
    }

    @Override
    String summaryType() {
        return type() + ActivationLayer.plus(spec.activation());
    }

    @Override
    protected String settings() {
        return beta.value().shape().dim(0) + ", epsilon=" + spec.epsilon() + ", momentum=" + spec.momentum()
                + (gamma == null ? ", frozen gamma" : "")
                + (spec.activation().kind() == Activation.Kind.NONE
                        ? ""
                        : ", " + spec.activation().opName());
    }
}
