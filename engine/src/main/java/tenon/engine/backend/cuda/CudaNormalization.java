package tenon.engine.backend.cuda;

import java.util.HashMap;
import java.util.Map;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.NormalizationKernels;
import tenon.engine.backend.OpKind;
import tenon.engine.backend.cuda.CudaOptions.LibraryChoice;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;

/**
 * Batch normalization: in training by cuDNN or by own kernels, as {@link LibraryChooser} says when a layer with its sizes first comes by; inference, channel ranges of wider tensors and sums
 * in BF16 by own kernels. Who computed forward computes backward.
 */
final class CudaNormalization implements NormalizationKernels {
    private static final String OP = "batch_norm";

    private record Problem(
            Shape input, DType dtype, boolean gamma, boolean beta, Activation activation, boolean shortcut) {}

    private final CudaBackend backend;
    private final OwnNormalization own;
    private final Map<Problem, Boolean> chosen = new HashMap<>();
    private CudnnNormalization cudnn;

    CudaNormalization(CudaBackend backend) {
        this.backend = backend;
        own = new OwnNormalization(backend);
    }

    boolean supports(OpKind op, DType dtype) {
        return dtype == DType.F32 || dtype == DType.BF16;
    }

    @Override
    public void trainForward(
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
            Tensor batchVariance) {
        backend.checkDType(OP, input, output);
        synchronized (backend.lock) {
            if (isCudnns(spec, input, gamma, beta, shortcut, output)) {
                int status = cudnn.trainForward(
                        spec,
                        input,
                        gamma,
                        beta,
                        runningMean,
                        runningVariance,
                        shortcut,
                        output,
                        batchMean,
                        batchVariance);
                CudnnStatus.check(OP, "cudnnBatchNormalizationForwardTrainingEx", status);
                return;
            }
            NormalizationState.forget(batchMean);
        }
        own.trainForward(
                spec,
                input,
                gamma,
                beta,
                runningMean,
                runningVariance,
                shortcut,
                output,
                offset,
                batchMean,
                batchVariance);
    }

    @Override
    public void inferForward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            Tensor shortcut,
            Tensor output,
            int offset) {
        own.inferForward(spec, input, gamma, beta, runningMean, runningVariance, shortcut, output, offset);
    }

    @Override
    public void backward(
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
            Tensor gradBeta) {
        backend.checkDType(OP, input, gradOutput);
        synchronized (backend.lock) {
            if (!constantStatistics && CudnnNormalization.isOurs(mean)) {
                int status = cudnn.backward(
                        spec,
                        input,
                        gamma,
                        beta,
                        mean,
                        variance,
                        output,
                        gradOutput,
                        gradInput,
                        gradShortcut,
                        gradGamma,
                        gradBeta);
                CudnnStatus.check(OP, "cudnnBatchNormalizationBackwardEx", status);
                return;
            }
        }
        own.backward(
                spec,
                input,
                gamma,
                beta,
                mean,
                variance,
                constantStatistics,
                output,
                gradOutput,
                offset,
                gradInput,
                gradShortcut,
                gradGamma,
                gradBeta);
    }

    // ---- the choice ----

    private boolean isCudnns(
            BatchNormSpec spec, Tensor input, Tensor gamma, Tensor beta, Tensor shortcut, Tensor output) {
        LibraryChoice choice = backend.options.batchNorm();
        if (choice == LibraryChoice.OWN || !CudnnNormalization.canDo(input, shortcut, output)) {
            return false;
        }
        Problem problem = new Problem(
                input.shape(), input.dtype(), gamma != null, beta != null, spec.activation(), shortcut != null);
        Boolean known = chosen.get(problem);
        if (known == null) {
            if (cudnn == null) {
                cudnn = backend.owned(new CudnnNormalization(backend, own));
            }
            known = backend.chooser()
                    .prefersCudnn(OP, choice, problem, new Trial(spec, input, gamma, beta, shortcut, output));
            chosen.put(problem, known);
        }
        return known;
    }

    /** One layer's passes on memory of their own, but for the operands, and the output that is written anyway. */
    private final class Trial implements LibraryChooser.Trial {
        private final BatchNormSpec spec;
        private final Tensor input;
        private final Tensor gamma;
        private final Tensor beta;
        private final Tensor shortcut;
        private final Tensor output;

        Trial(BatchNormSpec spec, Tensor input, Tensor gamma, Tensor beta, Tensor shortcut, Tensor output) {
            this.spec = spec;
            this.input = input;
            this.gamma = gamma;
            this.beta = beta;
            this.shortcut = shortcut;
            this.output = output;
        }

        @Override
        public int cudnn() {
            return run(true);
        }

        @Override
        public void own() {
            run(false);
        }

        private int run(boolean library) {
            try (Tensor gradient = backend.like(input);
                    Tensor another = shortcut == null ? null : backend.like(input);
                    Tensor runningMean = perChannel();
                    Tensor runningVariance = perChannel();
                    Tensor mean = perChannel();
                    Tensor variance = perChannel();
                    Tensor gradGamma = gamma == null ? null : perChannel();
                    Tensor gradBeta = beta == null ? null : perChannel()) {
                Tensor added = spec.ceiling() > 0 && shortcut != null ? output : null;
                // As in a network: the gradient is written over what it comes from, where nobody else needs that.
                Tensor gradInput = shortcut == null ? gradient : another;
                Tensor gradShortcut = added == null ? null : gradient;
                if (!library) {
                    own.trainForward(
                            spec,
                            input,
                            gamma,
                            beta,
                            runningMean,
                            runningVariance,
                            shortcut,
                            output,
                            0,
                            mean,
                            variance);
                    own.backward(
                            spec,
                            input,
                            gamma,
                            beta,
                            mean,
                            variance,
                            false,
                            added,
                            gradient,
                            0,
                            gradInput,
                            gradShortcut,
                            gradGamma,
                            gradBeta);
                    return CudnnStatus.SUCCESS;
                }
                int status = cudnn.trainForward(
                        spec, input, gamma, beta, runningMean, runningVariance, shortcut, output, mean, variance);
                return status != CudnnStatus.SUCCESS
                        ? status
                        : cudnn.backward(
                                spec,
                                input,
                                gamma,
                                beta,
                                mean,
                                variance,
                                added,
                                gradient,
                                gradInput,
                                gradShortcut,
                                gradGamma,
                                gradBeta);
            }
        }

        private Tensor perChannel() {
            return Tensor.empty(backend, Shape.of(input.shape().dim(-1)), DType.F32);
        }
    }
}
