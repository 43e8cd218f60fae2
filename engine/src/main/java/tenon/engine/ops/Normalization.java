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

/** Batch normalization over the last dimension, with an optional fused ReLU. */
public final class Normalization {
    private Normalization() {}

    /**
     * y = activation(gamma·(x − mean) / sqrt(variance + epsilon) + beta). In training, mean and biased variance are the batch's, and the running
     * averages move towards them as {@link BatchNormSpec} says; otherwise the running averages are used and treated as constants.
     *
     * @param input [N, …, C]; in training with more than one value per channel
     * @param gamma [C]; must be null when the spec freezes it
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
        Backend backend =
                Checks.backend("batch_norm", OpKind.BATCH_NORM, input, gamma, beta, runningMean, runningVariance);
        check(input, gamma, beta, runningMean, runningVariance, spec);
        return training
                ? train(backend, input, gamma, beta, runningMean, runningVariance, spec)
                : infer(backend, input, gamma, beta, runningMean, runningVariance, spec);
    }

    private static Tensor train(
            Backend backend,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            BatchNormSpec spec) {
        long count = input.shape().outerCount();
        if (count < 2) {
            throw new ShapeException(
                    TenonException.where("batch_norm") + ": training needs more than one value per channel: input="
                            + input.shape() + " (use a larger batch, or drop the last short one)");
        }
        NormalizationKernels kernels = backend.normalization();
        boolean fused = spec.activation().kind() != Activation.Kind.NONE;
        Shape perChannel = runningMean.shape();
        Tensor output = Tensor.empty(backend, input.shape(), input.dtype());
        Tensor mean = Tensor.empty(backend, perChannel, runningMean.dtype());
        Tensor variance = Tensor.empty(backend, perChannel, runningMean.dtype());
        Tensor workspace = fused ? Tensor.empty(backend, input.shape(), kernels.workspaceType()) : null;
        kernels.trainForward(spec, input, gamma, beta, output, mean, variance, workspace);
        double unbias = spec.unbiasedRunningVariance() ? count / (count - 1.0) : 1;
        kernels.movingAverage(runningMean, mean, spec.momentum(), 1);
        kernels.movingAverage(runningVariance, variance, spec.momentum(), unbias);
        Autograd.record(
                "batch_norm",
                save(input, gamma, beta),
                output,
                save(input, gamma, mean, variance, workspace),
                (saved, grads) -> kernels.backward(
                        spec,
                        saved[0],
                        saved[1],
                        saved[2],
                        saved[3],
                        saved[4],
                        grads.output(),
                        grads.wanted(0) ? grads.target(0) : null,
                        grads.wanted(1) ? grads.target(1) : null,
                        grads.wanted(2) ? grads.target(2) : null));
        mean.close();
        variance.close();
        if (fused) {
            workspace.close();
        }
        return output;
    }

    private static Tensor infer(
            Backend backend,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            BatchNormSpec spec) {
        NormalizationKernels kernels = backend.normalization();
        boolean fused = spec.activation().kind() != Activation.Kind.NONE;
        Tensor output = Tensor.empty(backend, input.shape(), input.dtype());
        kernels.inferForward(spec, input, gamma, beta, runningMean, runningVariance, output);
        return Autograd.record(
                "batch_norm",
                save(input, gamma, beta),
                output,
                save(input, gamma, runningMean, runningVariance, fused ? output : null),
                (saved, grads) -> kernels.inferBackward(
                        spec,
                        saved[0],
                        saved[1],
                        saved[2],
                        saved[3],
                        saved[4],
                        grads.output(),
                        grads.wanted(0) ? grads.target(0) : null,
                        grads.wanted(1) ? grads.target(1) : null,
                        grads.wanted(2) ? grads.target(2) : null));
    }

    private static void check(
            Tensor input, Tensor gamma, Tensor beta, Tensor runningMean, Tensor runningVariance, BatchNormSpec spec) {
        if (input.shape().rank() < 2) {
            throw new ShapeException(
                    TenonException.where("batch_norm") + ": input must be [N, …, C]: input=" + input.shape());
        }
        Shape perChannel = Shape.of(input.shape().dim(-1));
        if (spec.frozenGamma() != (gamma == null)) {
            throw new IllegalArgumentException(
                    TenonException.where("batch_norm") + ": gamma must be given exactly when it is not frozen: gamma="
                            + gamma + ", frozenGamma=" + spec.frozenGamma());
        }
        DType statistics = input.dtype() == DType.BF16 ? DType.F32 : input.dtype();
        Tensor[] tensors = {gamma, beta, runningMean, runningVariance};
        String[] names = {"gamma", "beta", "runningMean", "runningVariance"};
        for (int i = 0; i < tensors.length; i++) {
            if (tensors[i] != null) {
                Checks.shape("batch_norm", names[i], tensors[i], perChannel);
                Checks.dtype("batch_norm", names[i], tensors[i], statistics);
            }
        }
    }
}
