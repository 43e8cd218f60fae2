package tenon.engine.backend.cuda;

import static jcuda.jcudnn.JCudnn.cudnnBatchNormalizationBackwardEx;
import static jcuda.jcudnn.JCudnn.cudnnBatchNormalizationForwardTrainingEx;
import static jcuda.jcudnn.JCudnn.cudnnDeriveBNTensorDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnGetBatchNormalizationBackwardExWorkspaceSize;
import static jcuda.jcudnn.JCudnn.cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize;
import static jcuda.jcudnn.JCudnn.cudnnGetBatchNormalizationTrainingExReserveSpaceSize;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jcuda.Pointer;
import jcuda.jcudnn.cudnnBatchNormMode;
import jcuda.jcudnn.cudnnBatchNormOps;
import jcuda.jcudnn.cudnnHandle;
import jcuda.jcudnn.cudnnTensorDescriptor;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.memory.Storage;
import tenon.engine.ops.BatchNormSpec;

/**
 * Batch normalization in training by cuDNN's extended calls. These fuse an activation for half precision alone, which the engine does not have, so a shortcut and an activation are own kernels'
 * passes after the forward call and before the backward one.
 *
 * <p>What the backward call needs of the forward one hangs on the storage of the batch's mean, see {@link NormalizationState}.
 */
final class CudnnNormalization implements AutoCloseable {
    private static final String OP = "batch_norm";
    /** The most images of a training call. */
    private static final int MOST_IMAGES = 880_801;

    private static final Pointer ONE = Pointer.to(new float[] {1});
    private static final Pointer ZERO = Pointer.to(new float[] {0});

    private final CudaBackend backend;
    private final OwnNormalization own;
    private final Map<Geometry, Plan> plans = new HashMap<>();

    private record Geometry(DType dtype, int n, int h, int w, int c) {
        static Geometry of(Tensor tensor) {
            Shape shape = tensor.shape();
            int rank = shape.rank();
            int n = shape.dim(0);
            int c = shape.dim(-1);
            return rank == 4
                    ? new Geometry(tensor.dtype(), n, shape.dim(1), shape.dim(2), c)
                    : new Geometry(tensor.dtype(), n, Math.toIntExact(shape.outerCount() / n), 1, c);
        }
    }

    CudnnNormalization(CudaBackend backend, OwnNormalization own) {
        this.backend = backend;
        this.own = own;
    }

    /** A result in BF16 is rounded once, after the shortcut. */
    static boolean canDo(Tensor input, Tensor shortcut, Tensor output) {
        return output.shape().equals(input.shape())
                && input.elementCount() > 0
                && input.elementCount() <= CudnnDescriptors.MOST_ELEMENTS
                && input.shape().dim(0) <= MOST_IMAGES
                && (shortcut == null || input.dtype() == DType.F32);
    }

    /** Whether the forward pass that left this mean was cuDNN's. */
    static boolean isOurs(Tensor mean) {
        NormalizationState state = NormalizationState.of(mean);
        return state != null && state.isHeld();
    }

    /**
     * As {@link OwnNormalization#trainForward}; call it under the back-end's lock.
     *
     * @return a status of cuDNN; where it is not success, nothing was queued
     */
    int trainForward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            Tensor shortcut,
            Tensor output,
            Tensor batchMean,
            Tensor batchVariance) {
        backend.enter();
        Plan plan = plans.computeIfAbsent(Geometry.of(input), Plan::new);
        if (plan.status != CudnnStatus.SUCCESS) {
            return plan.status;
        }
        NormalizationState state = NormalizationState.hold(backend, batchMean, plan.reserveBytes);
        // With factor 1 the library's running averages are the batch's mean and unbiased variance.
        int status = cudnnBatchNormalizationForwardTrainingEx(
                backend.cudnn.get(),
                plan.mode,
                cudnnBatchNormOps.CUDNN_BATCHNORM_OPS_BN,
                ONE,
                ZERO,
                plan.images,
                Pointers.at(input.address()),
                null,
                null,
                plan.images,
                Pointers.at(output.address()),
                plan.parameters,
                Pointers.at(gamma == null ? plan.ones() : gamma.address()),
                Pointers.at(beta == null ? plan.zeros() : beta.address()),
                1,
                Pointers.at(batchMean.address()),
                Pointers.at(batchVariance.address()),
                spec.epsilon(),
                Pointers.at(state.mean()),
                Pointers.at(state.inverseDeviation()),
                null,
                Pointers.at(backend.workspace.get(plan.forwardBytes)),
                plan.forwardBytes,
                Pointers.at(state.reserve()),
                plan.reserveBytes);
        if (status != CudnnStatus.SUCCESS) {
            NormalizationState.forget(batchMean);
            return status;
        }
        own.moveAverages(spec, input.shape().outerCount(), batchMean, batchVariance, runningMean, runningVariance);
        if (shortcut != null) {
            backend.activation.addForward(spec.activation(), output, shortcut, output);
        } else if (spec.ceiling() > 0) {
            backend.activation.forward(spec.activation(), output, output);
        }
        return status;
    }

    /** As {@link OwnNormalization#backward} of batch statistics, after {@link #trainForward}; call it under the back-end's lock. */
    int backward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor mean,
            Tensor variance,
            Tensor output,
            Tensor gradOutput,
            Tensor gradInput,
            Tensor gradShortcut,
            Tensor gradGamma,
            Tensor gradBeta) {
        backend.enter();
        Plan plan = plans.get(Geometry.of(input));
        NormalizationState state = NormalizationState.of(mean);
        try (Temporaries temporaries = new Temporaries()) {
            Tensor slope = gradOutput;
            if (spec.ceiling() > 0) {
                slope = gradShortcut == null ? temporaries.like(input) : gradShortcut;
                own.backward(
                        spec, input, gamma, beta, mean, variance, true, output, gradOutput, 0, null, slope, null, null);
            } else if (gradInput != null && gradInput.sharesMemoryWith(gradOutput)) {
                // The call does not say that it works in place.
                slope = temporaries.like(input);
                backend.copy(gradOutput, slope);
            }
            return cudnnBatchNormalizationBackwardEx(
                    backend.cudnn.get(),
                    plan.mode,
                    cudnnBatchNormOps.CUDNN_BATCHNORM_OPS_BN,
                    ONE,
                    ZERO,
                    ONE,
                    ZERO,
                    plan.images,
                    Pointers.at(input.address()),
                    null,
                    null,
                    plan.images,
                    Pointers.at(slope.address()),
                    null,
                    null,
                    plan.images,
                    Pointers.at((gradInput == null ? temporaries.like(input) : gradInput).address()),
                    plan.parameters,
                    Pointers.at(gamma == null ? plan.ones() : gamma.address()),
                    null,
                    Pointers.at((gradGamma == null ? temporaries.like(mean) : gradGamma).address()),
                    Pointers.at((gradBeta == null ? temporaries.like(mean) : gradBeta).address()),
                    spec.epsilon(),
                    Pointers.at(state.mean()),
                    Pointers.at(state.inverseDeviation()),
                    null,
                    Pointers.at(backend.workspace.get(plan.backwardBytes)),
                    plan.backwardBytes,
                    Pointers.at(state.reserve()),
                    plan.reserveBytes);
        }
    }

    /** Descriptors and sizes for one geometry. */
    private final class Plan implements AutoCloseable {
        final CudnnDescriptors descriptors = new CudnnDescriptors(backend.cudnn, OP);
        final cudnnTensorDescriptor images = new cudnnTensorDescriptor();
        final cudnnTensorDescriptor parameters = new cudnnTensorDescriptor();
        final int channels;
        /** Success, or why the library cannot do it. */
        int status;

        int mode;
        long forwardBytes;
        long backwardBytes;
        long reserveBytes;
        private Storage constants;

        Plan(Geometry of) {
            channels = of.c;
            try {
                descriptors.tensor(images, CudnnDescriptors.type(of.dtype), of.n, of.c, of.h, of.w);
                descriptors.tensor(parameters);
                // The persistent kernels are for dense NHWC images; where there are none, the plain ones.
                for (int candidate : new int[] {
                    cudnnBatchNormMode.CUDNN_BATCHNORM_SPATIAL_PERSISTENT, cudnnBatchNormMode.CUDNN_BATCHNORM_SPATIAL
                }) {
                    mode = candidate;
                    descriptors.check(
                            "cudnnDeriveBNTensorDescriptor", cudnnDeriveBNTensorDescriptor(parameters, images, mode));
                    status = sizes();
                    if (!CudnnStatus.isUnsupported(status)) {
                        descriptors.check("cudnnGetBatchNormalization…Size", status);
                        return;
                    }
                }
            } catch (RuntimeException e) {
                close();
                throw e;
            }
        }

        private int sizes() {
            cudnnHandle handle = backend.cudnn.get();
            int ops = cudnnBatchNormOps.CUDNN_BATCHNORM_OPS_BN;
            long[] bytes = new long[1];
            int result = cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize(
                    handle, mode, ops, images, null, images, parameters, null, bytes);
            forwardBytes = bytes[0];
            if (result == CudnnStatus.SUCCESS) {
                result = cudnnGetBatchNormalizationBackwardExWorkspaceSize(
                        handle, mode, ops, images, null, images, null, images, parameters, null, bytes);
                backwardBytes = bytes[0];
            }
            if (result == CudnnStatus.SUCCESS) {
                result = cudnnGetBatchNormalizationTrainingExReserveSpaceSize(handle, mode, ops, null, images, bytes);
                reserveBytes = bytes[0];
            }
            boolean tooMuch = Math.max(forwardBytes, backwardBytes) > backend.options.workspaceLimit();
            return result == CudnnStatus.SUCCESS && tooMuch ? CudnnStatus.NOT_SUPPORTED : result;
        }

        /** For a frozen gamma. */
        long ones() {
            return constants() + zeroBytes();
        }

        /** For an absent beta. */
        long zeros() {
            return constants();
        }

        private long zeroBytes() {
            return NormalizationState.aligned((long) channels * Float.BYTES);
        }

        private long constants() {
            if (constants == null) {
                backend.checkNotCapturing(OP);
                constants = backend.general().allocate(2 * zeroBytes());
                backend.arithmetic.fill(constants.blockAddress(), 0, zeroBytes());
                long one = Float.floatToRawIntBits(1);
                backend.arithmetic.fill(constants.blockAddress() + zeroBytes(), one << 32 | one, zeroBytes());
            }
            return constants.blockAddress();
        }

        @Override
        public void close() {
            descriptors.close();
            if (constants != null) {
                constants.release();
                constants = null;
            }
        }
    }

    /** Tensors that live as long as their call is being queued. */
    private final class Temporaries implements AutoCloseable {
        private final List<Tensor> tensors = new ArrayList<>();

        Tensor like(Tensor tensor) {
            Tensor made = backend.like(tensor);
            tensors.add(made);
            return made;
        }

        @Override
        public void close() {
            tensors.forEach(Tensor::close);
        }
    }

    @Override
    public void close() {
        plans.values().forEach(Plan::close);
        plans.clear();
    }
}
