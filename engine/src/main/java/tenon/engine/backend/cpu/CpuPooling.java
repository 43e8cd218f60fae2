package tenon.engine.backend.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import java.lang.foreign.MemorySegment;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.PoolingKernels;
import tenon.engine.ops.Padding;
import tenon.engine.ops.PoolSpec;

/**
 * Max pooling on own kernels, because oneDNN's loses NaN and turns −∞ into the smallest float; average pooling, and maxima over windows of more than
 * 256 elements, on oneDNN. Ceil mode becomes padding at the bottom and right. Where that padding must not count in an average that counts the regular one,
 * which oneDNN cannot express, {@link ClippedAveragePool} computes.
 */
final class CpuPooling implements PoolingKernels {
    private record Key(Pass pass, boolean max, PoolSpec spec, Shape input, Shape output, DType dtype) {}

    private final CpuBackend backend;
    private final PrimitiveCache.Compiler<Key> compiler = this::compile;

    CpuPooling(CpuBackend backend) {
        this.backend = backend;
    }

    @Override
    public DType workspaceType() {
        return DType.U8;
    }

    /** The winners' positions: those of large windows fill no byte, and oneDNN keeps them in a layout of its own. */
    @Override
    public Shape workspaceShape(PoolSpec spec, Shape input, Shape output) {
        if (fitsByte(spec) || output.elementCount() == 0) {
            return output;
        }
        synchronized (backend.dnnl) {
            Executable primitive = get(Pass.FORWARD, true, spec, input, output, DType.F32);
            return Shape.of(Math.toIntExact(primitive.byteSizes[2]));
        }
    }

    private static boolean fitsByte(PoolSpec spec) {
        return spec.kernelH() * spec.kernelW() <= 256;
    }

    @Override
    public void maxForward(PoolSpec spec, Tensor input, Tensor output, Tensor workspace) {
        backend.checkDType("max_pool2d", input, output);
        if (output.elementCount() == 0) {
            return;
        }
        if (fitsByte(spec)) {
            MaxPoolGeometry geometry = MaxPoolGeometry.of(spec, input.shape(), output.shape());
            MemorySegment in = input.segment();
            MemorySegment out = output.segment();
            MemorySegment winners = workspace == null ? null : workspace.segment();
            FloatKernels kernels = backend.kernels;
            long rows = (long) output.shape().dim(0) * geometry.p();
            backend.parallel.range(rows, 1, 1, (from, to) -> kernels.maxPool(geometry, in, out, winners, from, to));
            return;
        }
        synchronized (backend.dnnl) {
            Pass pass = workspace == null ? Pass.INFERENCE : Pass.FORWARD;
            Executable primitive = get(pass, true, spec, input.shape(), output.shape(), input.dtype());
            primitive.bind(0, input.address()).bind(1, output.address());
            if (workspace != null) {
                primitive.bind(2, workspace.address());
            }
            primitive.run();
        }
    }

    @Override
    public void maxBackward(PoolSpec spec, Tensor gradOutput, Tensor workspace, Tensor gradInput) {
        backend.checkDType("max_pool2d", gradOutput, gradInput);
        if (gradOutput.elementCount() == 0) {
            backend.fill(gradInput, 0);
            return;
        }
        if (fitsByte(spec)) {
            MaxPoolGeometry geometry = MaxPoolGeometry.of(spec, gradInput.shape(), gradOutput.shape());
            MemorySegment out = gradOutput.segment();
            MemorySegment in = gradInput.segment();
            MemorySegment winners = workspace.segment();
            FloatKernels kernels = backend.kernels;
            backend.parallel.range(
                    gradInput.shape().dim(0),
                    1,
                    1,
                    (from, to) -> kernels.maxPoolBackward(geometry, out, winners, in, from, to));
            return;
        }
        synchronized (backend.dnnl) {
            get(Pass.BACKWARD, true, spec, gradInput.shape(), gradOutput.shape(), gradInput.dtype())
                    .bind(0, gradOutput.address())
                    .bind(1, gradInput.address())
                    .bind(2, workspace.address())
                    .run();
        }
    }

    @Override
    public void averageForward(PoolSpec spec, Tensor input, Tensor output) {
        backend.checkDType("avg_pool2d", input, output);
        if (output.elementCount() == 0) {
            return;
        }
        if (needsClipping(spec, input.shape(), output.shape())) {
            ClippedAveragePool.forward(backend.parallel, spec, input, output);
            return;
        }
        synchronized (backend.dnnl) {
            get(Pass.INFERENCE, false, spec, input.shape(), output.shape(), input.dtype())
                    .bind(0, input.address())
                    .bind(1, output.address())
                    .run();
        }
    }

    @Override
    public void averageBackward(PoolSpec spec, Tensor gradOutput, Tensor gradInput) {
        backend.checkDType("avg_pool2d", gradOutput, gradInput);
        if (gradOutput.elementCount() == 0) {
            backend.fill(gradInput, 0);
            return;
        }
        if (needsClipping(spec, gradInput.shape(), gradOutput.shape())) {
            ClippedAveragePool.backward(backend.parallel, spec, gradOutput, gradInput);
            return;
        }
        synchronized (backend.dnnl) {
            get(Pass.BACKWARD, false, spec, gradInput.shape(), gradOutput.shape(), gradInput.dtype())
                    .bind(0, gradOutput.address())
                    .bind(1, gradInput.address())
                    .run();
        }
    }

    private Executable get(Pass pass, boolean max, PoolSpec spec, Shape input, Shape output, DType dtype) {
        return backend.cache
                .get(new Key(pass, max, spec, input, output, dtype), compiler)
                .primitive();
    }

    /** Whether a window overhangs the padded image while padding counts. Without padding, clipped and not counted are the same. */
    private static boolean needsClipping(PoolSpec spec, Shape input, Shape output) {
        return spec.countPadding() && !spec.padding().equals(Padding.NONE) && overhangs(spec, input, output);
    }

    private static boolean overhangs(PoolSpec spec, Shape input, Shape output) {
        Padding padding = spec.padding();
        return after(input.dim(1), output.dim(1), spec.kernelH(), spec.strideH(), padding.top(), padding.bottom())
                        != padding.bottom()
                || after(input.dim(2), output.dim(2), spec.kernelW(), spec.strideW(), padding.left(), padding.right())
                        != padding.right();
    }

    /** Padding at the far end that gives exactly {@code out} windows: the regular one, or in ceil mode what the last window needs. */
    private static int after(int size, int out, int kernel, int stride, int before, int regular) {
        int windows = (size + before + regular - kernel) / stride + 1;
        return windows == out ? regular : (out - 1) * stride + kernel - size - before;
    }

    private Compiled compile(Key key) {
        try (Build build = new Build(backend.dnnl, (key.max ? "max_pool2d " : "avg_pool2d ") + key.pass, key)) {
            PoolSpec spec = key.spec;
            Padding padding = spec.padding();
            Shape in = key.input;
            Shape out = key.output;
            // A countPadding average that overhangs gets here only when there is no regular padding to count.
            int algorithm = key.max
                    ? dnnl_pooling_max
                    : spec.countPadding() && !overhangs(spec, in, out)
                            ? dnnl_pooling_avg_include_padding
                            : dnnl_pooling_avg_exclude_padding;
            long[] strides = {spec.strideH(), spec.strideW()};
            long[] kernel = {spec.kernelH(), spec.kernelW()};
            long[] dilation = {0, 0};
            long[] before = {padding.top(), padding.left()};
            long[] after = {
                after(in.dim(1), out.dim(1), spec.kernelH(), spec.strideH(), padding.top(), padding.bottom()),
                after(in.dim(2), out.dim(2), spec.kernelW(), spec.strideW(), padding.left(), padding.right())
            };
            dnnl_memory_desc source = CpuConvolution.image(build, in, key.dtype);
            dnnl_memory_desc destination = CpuConvolution.image(build, out, key.dtype);
            dnnl_primitive_desc forward = new dnnl_primitive_desc();
            build.created(
                    dnnl_pooling_forward_primitive_desc_create(
                            forward,
                            backend.dnnl.engine,
                            key.pass == Pass.INFERENCE ? dnnl_forward_inference : dnnl_forward_training,
                            algorithm,
                            source,
                            destination,
                            strides,
                            kernel,
                            dilation,
                            before,
                            after,
                            build.attributes()),
                    "dnnl_pooling_forward_primitive_desc_create",
                    forward);
            if (key.pass == Pass.INFERENCE) {
                return new Compiled(build.executable(forward, DNNL_ARG_SRC, DNNL_ARG_DST));
            }
            if (key.pass == Pass.FORWARD) {
                return new Compiled(build.executable(forward, DNNL_ARG_SRC, DNNL_ARG_DST, DNNL_ARG_WORKSPACE));
            }
            dnnl_primitive_desc backward = new dnnl_primitive_desc();
            build.created(
                    dnnl_pooling_backward_primitive_desc_create(
                            backward,
                            backend.dnnl.engine,
                            algorithm,
                            source,
                            destination,
                            strides,
                            kernel,
                            dilation,
                            before,
                            after,
                            forward,
                            build.attributes()),
                    "dnnl_pooling_backward_primitive_desc_create",
                    backward);
            return new Compiled(
                    key.max
                            ? build.executable(backward, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_SRC, DNNL_ARG_WORKSPACE)
                            : build.executable(backward, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_SRC));
        }
    }
}
