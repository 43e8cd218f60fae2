package tenon.engine.ops;

import static tenon.engine.autograd.Autograd.save;

import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.autograd.Autograd;
import tenon.engine.backend.Backend;
import tenon.engine.backend.NormalizationKernels;
import tenon.engine.backend.OpKind;

/** Batch normalization over the last dimension, with an optional shortcut added and an optional ReLU or ReLU6 fused. */
public final class Normalization {
    private Normalization() {}

    /**
     * y = activation(gamma·(x − mean) / sqrt(variance + epsilon) + beta). In training, mean and biased variance are the batch's, and the running
     * averages move towards them as {@link BatchNormSpec} says; otherwise the running averages are used and treated as constants.
     *
     * @param input [N, …, C]; in training with more than one value per channel
     * @param gamma [C]; must be null when the spec freezes it. F32 for BF16 input, as all that follow
     * @param beta [C], or null
     * @param runningMean [C], updated in place in training
     * @param runningVariance [C], updated in place in training
     */
    public static Tensor batchNorm(
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            BatchNormSpec spec,
            boolean training) {
        return run("batch_norm", input, null, gamma, beta, runningMean, runningVariance, spec, training);
    }

    /**
     * y = activation(batchNorm(x) + shortcut), the end of a residual block with post-activation (He et al. 2015, "Deep residual learning", fig. 2).
     * Everything else is as in {@link #batchNorm}.
     *
     * @param shortcut of the input's shape and dtype
     */
    public static Tensor batchNormAdd(
            Tensor input,
            Tensor shortcut,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            BatchNormSpec spec,
            boolean training) {
        String op = "batch_norm_add";
        Checks.sameShape(op, input, shortcut);
        Checks.sameDType(op, input, shortcut);
        return run(op, input, shortcut, gamma, beta, runningMean, runningVariance, spec, training);
    }

    private static Tensor run(
            String op,
            Tensor input,
            Tensor shortcut,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            BatchNormSpec spec,
            boolean training) {
        Backend backend =
                Checks.backend(op, OpKind.BATCH_NORM, input, shortcut, gamma, beta, runningMean, runningVariance);
        check(op, input, gamma, beta, runningMean, runningVariance, spec, training);
        NormalizationKernels kernels = backend.normalization();
        Tensor output = Tensor.empty(backend, input.shape(), input.dtype());
        Tensor mean = training ? like(runningMean) : runningMean;
        Tensor variance = training ? like(runningVariance) : runningVariance;
        if (training) {
            kernels.trainForward(
                    spec, input, gamma, beta, runningMean, runningVariance, shortcut, output, 0, mean, variance);
        } else {
            kernels.inferForward(spec, input, gamma, beta, runningMean, runningVariance, shortcut, output, 0);
        }
        // Where the activation passed can be computed again from the input, unless a shortcut was added.
        boolean fused = spec.activation().kind() != Activation.Kind.NONE;
        Autograd.record(
                op,
                save(input, shortcut, gamma, beta),
                output,
                save(
                        input,
                        gamma,
                        fused && shortcut == null ? beta : null,
                        mean,
                        variance,
                        fused && shortcut != null ? output : null),
                (saved, grads) -> {
                    Tensor gradOutput = grads.output();
                    Tensor gradShortcut = grads.wanted(1) && fused ? grads.targetInPlace(1) : null;
                    Tensor gradInput = null;
                    if (grads.wanted(0)) {
                        gradInput = grads.wanted(1) ? grads.target(0) : grads.targetInPlace(0);
                    } else if (gradShortcut == null && saved[5] != null) {
                        gradShortcut = like(gradOutput);
                    }
                    kernels.backward(
                            spec,
                            saved[0],
                            saved[1],
                            saved[2],
                            saved[3],
                            saved[4],
                            !training,
                            saved[5],
                            gradOutput,
                            0,
                            gradInput,
                            gradShortcut,
                            grads.wanted(2) ? grads.target(2) : null,
                            grads.wanted(3) ? grads.target(3) : null);
                    if (!fused) {
                        grads.give(1, gradOutput);
                    }
                });
        if (training) {
            mean.close();
            variance.close();
        }
        return output;
    }

    /**
     * Writes a normalized branch to its place in a concatenation.
     *
     * @param inputs out: from {@code at} on, gamma and beta behind the input that is there
     * @param saved out: from {@code at} on, what {@link NormalizationKernels#backward} takes; in training the last two are new
     */
    static void forward(ConcatBranch branch, Tensor output, int offset, Tensor[] inputs, Tensor[] saved, int at) {
        NormalizationKernels kernels = output.backend().normalization();
        BatchNormSpec spec = branch.norm();
        Tensor input = branch.input();
        Tensor gamma = branch.gamma();
        Tensor beta = branch.beta();
        Tensor mean = branch.runningMean();
        Tensor variance = branch.runningVariance();
        if (branch.training()) {
            mean = like(branch.runningMean());
            variance = like(branch.runningVariance());
            kernels.trainForward(
                    spec,
                    input,
                    gamma,
                    beta,
                    branch.runningMean(),
                    branch.runningVariance(),
                    null,
                    output,
                    offset,
                    mean,
                    variance);
        } else {
            kernels.inferForward(spec, input, gamma, beta, mean, variance, null, output, offset);
        }
        inputs[at + 1] = gamma;
        inputs[at + 2] = beta;
        saved[at] = input;
        saved[at + 1] = gamma;
        saved[at + 2] = spec.activation().kind() == Activation.Kind.NONE ? null : beta;
        saved[at + 3] = mean;
        saved[at + 4] = variance;
    }

    private static Tensor like(Tensor tensor) {
        return Tensor.empty(tensor.backend(), tensor.shape(), tensor.dtype());
    }

    /** The conditions on the arguments of {@link #batchNorm}. */
    static void check(
            String op,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            BatchNormSpec spec,
            boolean training) {
        if (input.shape().rank() < 2) {
            throw new ShapeException(TenonException.where(op) + ": input must be [N, …, C]: input=" + input.shape());
        }
        if (spec.frozenGamma() != (gamma == null)) {
            throw new IllegalArgumentException(
                    TenonException.where(op) + ": gamma must be given exactly when it is not frozen: gamma=" + gamma
                            + ", frozenGamma=" + spec.frozenGamma());
        }
        Shape perChannel = Shape.of(input.shape().dim(-1));
        DType statistics = input.dtype() == DType.BF16 ? DType.F32 : input.dtype();
        Tensor[] tensors = {gamma, beta, runningMean, runningVariance};
        String[] names = {"gamma", "beta", "runningMean", "runningVariance"};
        for (int i = 0; i < tensors.length; i++) {
            if (tensors[i] != null) {
                Checks.shape(op, names[i], tensors[i], perChannel);
                Checks.dtype(op, names[i], tensors[i], statistics);
            }
        }
        if (training && input.shape().outerCount() < 2) {
            throw new ShapeException(
                    TenonException.where(op) + ": training needs more than one value per channel: input="
                            + input.shape() + " (use a larger batch, or drop the last short one)");
        }
    }
}
