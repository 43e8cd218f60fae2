package tenon.engine.backend.cuda;

import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.PoolingKernels;
import tenon.engine.ops.PoolSpec;

/**
 * Pooling by own kernels. Backward, each element of the input's gradient is written once, with what it collects from the windows that hold it, so nothing depends on the order of threads.
 */
final class OwnPooling implements PoolingKernels {
    private static final String FILE = "pooling";
    /** Windows up to this size have their winner in one byte. */
    private static final int BYTE_WINDOW = 256;
    /** Larger windows leave too few threads where each has several channels. */
    private static final int VECTOR_WINDOW = 64;

    private final CudaBackend backend;
    private final Variants maxForwardU8;
    private final Variants maxForwardI32;
    private final Variants maxBackwardU8;
    private final Variants maxBackwardI32;
    private final Variants averageForward;
    private final Variants averageBackward;

    OwnPooling(CudaBackend backend) {
        this.backend = backend;
        maxForwardU8 = new Variants(backend, FILE, "max_forward", "_u8");
        maxForwardI32 = new Variants(backend, FILE, "max_forward", "_i32");
        maxBackwardU8 = new Variants(backend, FILE, "max_backward", "_u8");
        maxBackwardI32 = new Variants(backend, FILE, "max_backward", "_i32");
        averageForward = new Variants(backend, FILE, "average_forward");
        averageBackward = new Variants(backend, FILE, "average_backward");
    }

    @Override
    public DType workspaceType() {
        return DType.U8;
    }

    /** The winners' positions in their windows, four bytes each where one is too few for the window. */
    @Override
    public Shape workspaceShape(PoolSpec spec, Shape input, Shape output) {
        return fitsByte(spec) ? output : output.withDim(3, Math.multiplyExact(4, output.dim(3)));
    }

    private static boolean fitsByte(PoolSpec spec) {
        return window(spec) <= BYTE_WINDOW;
    }

    private static long window(PoolSpec spec) {
        return (long) spec.kernelH() * spec.kernelW();
    }

    @Override
    public void maxForward(PoolSpec spec, Tensor input, Tensor output, Tensor workspace) {
        backend.checkDType("max_pool2d", input, output);
        Variants kernels = fitsByte(spec) ? maxForwardU8 : maxForwardI32;
        int vector = vector(spec, input, output);
        Launch launch = backend.launch(kernels.get(input.dtype(), vector))
                .address(input.address())
                .address(output.address())
                .address(workspace == null ? 0 : workspace.address());
        run(launch, spec, input.shape(), output.shape(), output.shape(), vector);
    }

    @Override
    public void maxBackward(PoolSpec spec, Tensor gradOutput, Tensor workspace, Tensor gradInput) {
        backend.checkDType("max_pool2d", gradOutput, gradInput);
        Variants kernels = fitsByte(spec) ? maxBackwardU8 : maxBackwardI32;
        int vector =
                Variants.vector(gradInput.dtype(), gradInput.shape().dim(3), gradOutput.address(), gradInput.address());
        Launch launch = backend.launch(kernels.get(gradInput.dtype(), vector))
                .address(gradOutput.address())
                .address(workspace.address())
                .address(gradInput.address());
        run(launch, spec, gradInput.shape(), gradOutput.shape(), gradInput.shape(), vector);
    }

    @Override
    public void averageForward(PoolSpec spec, Tensor input, Tensor output) {
        backend.checkDType("avg_pool2d", input, output);
        int vector = vector(spec, input, output);
        Launch launch = backend.launch(averageForward.get(input.dtype(), vector))
                .address(input.address())
                .address(output.address());
        run(launch, spec, input.shape(), output.shape(), output.shape(), vector);
    }

    @Override
    public void averageBackward(PoolSpec spec, Tensor gradOutput, Tensor gradInput) {
        backend.checkDType("avg_pool2d", gradOutput, gradInput);
        int vector =
                Variants.vector(gradInput.dtype(), gradInput.shape().dim(3), gradOutput.address(), gradInput.address());
        Launch launch = backend.launch(averageBackward.get(gradInput.dtype(), vector))
                .address(gradOutput.address())
                .address(gradInput.address());
        run(launch, spec, gradInput.shape(), gradOutput.shape(), gradInput.shape(), vector);
    }

    private static int vector(PoolSpec spec, Tensor input, Tensor output) {
        return window(spec) > VECTOR_WINDOW
                ? 1
                : Variants.vector(input.dtype(), input.shape().dim(3), input.address(), output.address());
    }

    /** @param written shape of what the kernel writes */
    private static void run(Launch launch, PoolSpec spec, Shape input, Shape output, Shape written, int vector) {
        launch.int32(input.dim(0))
                .int32(input.dim(1))
                .int32(input.dim(2))
                .int32(output.dim(1))
                .int32(output.dim(2))
                .int32(input.dim(3))
                .int32(spec.kernelH())
                .int32(spec.kernelW())
                .int32(spec.strideH())
                .int32(spec.strideW())
                .int32(spec.padding().top())
                .int32(spec.padding().bottom())
                .int32(spec.padding().left())
                .int32(spec.padding().right())
                .int32(spec.countPadding() ? 1 : 0)
                .plane((long) written.dim(2) * (written.dim(3) / vector), (long) written.dim(0) * written.dim(1));
    }
}
