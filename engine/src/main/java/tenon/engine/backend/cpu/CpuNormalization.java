package tenon.engine.backend.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.NormalizationKernels;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;

/**
 * Batch normalization on oneDNN, but for the batch's mean and variance, which it sums up in F32 one value after the other (1e-4 off over 65,536 values), and the gradient with
 * frozen statistics, which it lacks for NHWC: these are own kernels.
 */
final class CpuNormalization implements NormalizationKernels {
    private record Key(
            Pass pass, float epsilon, boolean relu, boolean scale, boolean shift, Shape shape, DType dtype) {}

    private final CpuBackend backend;
    private final PrimitiveCache.Compiler<Key> compiler = this::compile;

    CpuNormalization(CpuBackend backend) {
        this.backend = backend;
    }

    private static boolean relu(BatchNormSpec spec) {
        return spec.activation().kind() == Activation.Kind.RELU;
    }

    @Override
    public void trainForward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor output,
            Tensor batchMean,
            Tensor batchVariance,
            Tensor workspace) {
        backend.checkDType("batch_norm", input, output);
        requireSamples(input);
        backend.reductions.moments(
                input.segment(),
                input.shape().dim(-1),
                input.shape().outerCount(),
                batchMean.segment(),
                batchVariance.segment());
        synchronized (backend.dnnl) {
            Executable primitive = get(Pass.FORWARD, spec, input, gamma, beta);
            primitive
                    .bind(0, input.address())
                    .bind(1, output.address())
                    .bind(2, batchMean.address())
                    .bind(3, batchVariance.address());
            int slot = bindAffine(primitive, 4, gamma, beta);
            if (relu(spec)) {
                primitive.bind(slot, workspaceAddress(primitive.byteSizes[slot], workspace));
            }
            primitive.run();
        }
    }

    /** Without a workspace of the caller's, the mask goes to memory that nobody reads. */
    private long workspaceAddress(long byteSize, Tensor workspace) {
        if (workspace == null) {
            return backend.dnnl.unwanted.address(byteSize);
        }
        if (workspace.byteSize() < byteSize) {
            throw new ShapeException(TenonException.where("batch_norm") + ": the workspace must hold " + byteSize
                    + " bytes: workspace=" + workspace);
        }
        return workspace.address();
    }

    private static int bindAffine(Executable primitive, int slot, Tensor gamma, Tensor beta) {
        if (gamma != null) {
            primitive.bind(slot++, gamma.address());
        }
        if (beta != null) {
            primitive.bind(slot++, beta.address());
        }
        return slot;
    }

    @Override
    public void backward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor batchMean,
            Tensor batchVariance,
            Tensor workspace,
            Tensor gradOutput,
            Tensor gradInput,
            Tensor gradGamma,
            Tensor gradBeta) {
        backend.checkDType("batch_norm", input, gradOutput);
        requireSamples(input);
        if (relu(spec) && workspace == null) {
            throw new IllegalArgumentException(TenonException.where("batch_norm")
                    + ": the gradient of a fused ReLU needs the forward pass' workspace");
        }
        synchronized (backend.dnnl) {
            // The shift's value plays no part in the gradients, so the primitive has a shift exactly when its gradient
            // is wanted.
            Key key = new Key(
                    Pass.BACKWARD,
                    (float) spec.epsilon(),
                    relu(spec),
                    gamma != null,
                    gradBeta != null,
                    input.shape(),
                    input.dtype());
            Executable primitive = backend.cache.get(key, compiler).primitive();
            long inputBytes = gradInput == null ? input.byteSize() : 0;
            long vectorBytes = 4L * input.shape().dim(-1);
            long unwanted = backend.dnnl.unwanted.address(inputBytes + vectorBytes);
            primitive
                    .bind(0, input.address())
                    .bind(1, gradOutput.address())
                    .bind(2, gradInput == null ? unwanted : gradInput.address())
                    .bind(3, batchMean.address())
                    .bind(4, batchVariance.address());
            int slot = 5;
            if (gamma != null) {
                primitive.bind(slot++, gamma.address());
                primitive.bind(slot++, gradGamma == null ? unwanted + inputBytes : gradGamma.address());
            }
            if (gradBeta != null) {
                primitive.bind(slot++, gradBeta.address());
            }
            if (relu(spec)) {
                primitive.bind(slot, workspaceAddress(primitive.byteSizes[slot], workspace));
            }
            primitive.run();
        }
    }

    @Override
    public void inferForward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            Tensor output) {
        backend.checkDType("batch_norm", input, output);
        if (input.elementCount() == 0) {
            return;
        }
        synchronized (backend.dnnl) {
            Executable primitive = get(Pass.INFERENCE, spec, input, gamma, beta);
            primitive
                    .bind(0, input.address())
                    .bind(1, output.address())
                    .bind(2, runningMean.address())
                    .bind(3, runningVariance.address());
            bindAffine(primitive, 4, gamma, beta);
            primitive.run();
        }
    }

    @Override
    public void inferBackward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor runningMean,
            Tensor runningVariance,
            Tensor output,
            Tensor gradOutput,
            Tensor gradInput,
            Tensor gradGamma,
            Tensor gradBeta) {
        backend.checkDType("batch_norm", input, gradOutput);
        FrozenNormBackward.run(
                backend,
                spec,
                input,
                gamma,
                runningMean,
                runningVariance,
                relu(spec) ? output : null,
                gradOutput,
                gradInput,
                gradGamma,
                gradBeta);
    }

    @Override
    public void movingAverage(Tensor running, Tensor batch, double momentum, double factor) {
        backend.checkDType("batch_norm", running, batch);
        var into = running.segment();
        var from = batch.segment();
        for (long i = 0; i < running.elementCount(); i++) {
            double value = (1 - momentum) * Floats.get(into, i) + momentum * factor * Floats.get(from, i);
            Floats.set(into, i, (float) value);
        }
    }

    private static void requireSamples(Tensor input) {
        if (input.elementCount() == 0) {
            throw new ShapeException(TenonException.where("batch_norm") + ": training needs at least one sample: input="
                    + input.shape());
        }
    }

    private Executable get(Pass pass, BatchNormSpec spec, Tensor input, Tensor gamma, Tensor beta) {
        Key key = new Key(
                pass, (float) spec.epsilon(), relu(spec), gamma != null, beta != null, input.shape(), input.dtype());
        return backend.cache.get(key, compiler).primitive();
    }

    /** [N, H, W, C] as it is; any other rank as N, rest, 1, C. */
    static dnnl_memory_desc image(Build build, Shape shape, DType dtype) {
        long n = shape.rank() == 1 ? 1 : shape.dim(0);
        boolean image = shape.rank() == 4;
        long h = image ? shape.dim(1) : shape.outerCount() / n;
        return build.nhwc(dtype, n, h, image ? shape.dim(2) : 1, shape.dim(-1));
    }

    private Compiled compile(Key key) {
        try (Build build = new Build(backend.dnnl, "batch_norm " + key.pass, key)) {
            dnnl_memory_desc data = image(build, key.shape, key.dtype);
            int flags = (key.scale ? dnnl_use_scale : 0)
                    | (key.shift ? dnnl_use_shift : 0)
                    | (key.relu ? dnnl_fuse_norm_relu : 0);
            boolean inference = key.pass == Pass.INFERENCE;
            dnnl_primitive_desc forward = new dnnl_primitive_desc();
            build.created(
                    dnnl_batch_normalization_forward_primitive_desc_create(
                            forward,
                            backend.dnnl.engine,
                            inference ? dnnl_forward_inference : dnnl_forward_training,
                            data,
                            data,
                            key.epsilon,
                            key.pass == Pass.BACKWARD ? flags : flags | dnnl_use_global_stats,
                            build.attributes()),
                    "dnnl_batch_normalization_forward_primitive_desc_create",
                    forward);
            Slots slots = new Slots();
            if (key.pass != Pass.BACKWARD) {
                slots.add(DNNL_ARG_SRC, DNNL_ARG_DST, DNNL_ARG_MEAN, DNNL_ARG_VARIANCE);
                slots.addIf(key.scale, DNNL_ARG_SCALE);
                slots.addIf(key.shift, DNNL_ARG_SHIFT);
                slots.addIf(key.relu && !inference, DNNL_ARG_WORKSPACE);
                return new Compiled(build.executable(forward, slots.toArray()));
            }
            dnnl_primitive_desc backward = new dnnl_primitive_desc();
            build.created(
                    dnnl_batch_normalization_backward_primitive_desc_create(
                            backward,
                            backend.dnnl.engine,
                            key.scale || key.shift ? dnnl_backward : dnnl_backward_data,
                            data,
                            data,
                            data,
                            key.epsilon,
                            flags,
                            forward,
                            build.attributes()),
                    "dnnl_batch_normalization_backward_primitive_desc_create",
                    backward);
            slots.add(DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_SRC, DNNL_ARG_MEAN, DNNL_ARG_VARIANCE);
            slots.addIf(key.scale, DNNL_ARG_SCALE);
            slots.addIf(key.scale, DNNL_ARG_DIFF_SCALE);
            slots.addIf(key.shift, DNNL_ARG_DIFF_SHIFT);
            slots.addIf(key.relu, DNNL_ARG_WORKSPACE);
            return new Compiled(build.executable(backward, slots.toArray()));
        }
    }
}
