package tenon.engine.backend.cuda;

import tenon.engine.DType;
import tenon.engine.ops.Activation;

/** How one convolution of a network is computed: the library's problem, and what own kernels do before and after it. Without a plan it is a possibility. */
final class ConvolutionRoute {
    private static final long ALIGNMENT = 256;
    private static final int PER_THREAD = 4;

    private final CudaBackend backend;
    private final ConvolutionProblem whole;
    private final ConvolutionProblem problem;
    private final Pass pass;
    private final boolean padded;
    private final boolean widened;
    private final boolean bias;
    private final Activation epilogue;
    private final ConvolutionPlan plan;

    /**
     * @param whole the layer's problem
     * @param pass the layer's: a padded {@link Pass#ACCUMULATE_INPUT} adds when it crops
     * @param problem what the library does of it
     * @param bias whether the layer has one
     * @param activation the layer's
     * @param plan for the problem
     */
    ConvolutionRoute(
            CudaBackend backend,
            Pass pass,
            ConvolutionProblem whole,
            ConvolutionProblem problem,
            boolean bias,
            Activation activation,
            ConvolutionPlan plan) {
        this.backend = backend;
        this.pass = pass;
        this.whole = whole;
        this.problem = problem;
        this.plan = plan;
        this.bias = bias && !problem.bias();
        padded = problem.h() != whole.h()
                || problem.w() != whole.w()
                || problem.top() != whole.top()
                || problem.left() != whole.left();
        widened = problem.dtype() != whole.dtype();
        epilogue = problem.relu() ? Activation.NONE : activation;
    }

    /**
     * Queues the work, all arguments being device addresses. Call it under the back-end's lock.
     *
     * @return a status of cuDNN; where it is not success, nothing of use was written
     */
    int run(long image, long filter, long biasAddress, long result) {
        boolean apart = problem.computed() != target();
        long wideImage = widened ? aligned(whole.imageCount() * Float.BYTES) : 0;
        long wideFilter = widened ? aligned(whole.filterCount() * Float.BYTES) : 0;
        long paddedBytes =
                padded ? aligned(problem.imageCount() * problem.dtype().byteSize()) : 0;
        long apartBytes = apart ? computedCount() * problem.computed().byteSize() : 0;
        long scratch = backend.scratch.get(wideImage + wideFilter + paddedBytes + apartBytes);
        long workspace = backend.workspace.get(plan.workspaceBytes());
        long paddedImage = padded ? scratch + wideImage + wideFilter : image;
        long other = scratch + wideImage + wideFilter + paddedBytes;
        return switch (pass) {
            case FORWARD -> {
                long x = image;
                long w = filter;
                if (widened) {
                    x = scratch;
                    w = scratch + wideImage;
                    widen(image, x, whole.imageCount());
                    widen(filter, w, whole.filterCount());
                }
                pad(x, paddedImage);
                long product = apart ? other : result;
                int status =
                        plan.run(padded ? paddedImage : x, w, problem.bias() ? biasAddress : 0, product, workspace);
                if (status == CudnnStatus.SUCCESS && (apart || bias || epilogue.kind() != Activation.Kind.NONE)) {
                    backend.bias.add(
                            product,
                            problem.computed(),
                            bias ? biasAddress : 0,
                            epilogue,
                            problem.k(),
                            result,
                            whole.dtype(),
                            problem.resultCount());
                }
                yield status;
            }
            case BACKWARD_INPUT, ACCUMULATE_INPUT -> {
                int status = plan.run(paddedImage, filter, 0, result, workspace);
                if (status == CudnnStatus.SUCCESS && padded) {
                    shift(
                            pass == Pass.ACCUMULATE_INPUT ? backend.convolution.addShifted : backend.convolution.shift,
                            paddedImage,
                            problem.h(),
                            problem.w(),
                            image,
                            whole.h(),
                            whole.w(),
                            -whole.top(),
                            -whole.left());
                }
                yield status;
            }
            case BACKWARD_WEIGHT -> {
                pad(image, paddedImage);
                int status = plan.run(paddedImage, apart ? other : filter, 0, result, workspace);
                if (status == CudnnStatus.SUCCESS && apart) {
                    widen(other, filter, problem.filterCount());
                }
                yield status;
            }
        };
    }

    private void widen(long from, long to, long count) {
        backend.launch(backend.convolution.widen())
                .address(from)
                .address(to)
                .int64(count)
                .elements(Math.ceilDiv(count, (long) PER_THREAD));
    }

    /** DType of what the layer wants. */
    private DType target() {
        return pass == Pass.BACKWARD_WEIGHT ? DType.F32 : whole.dtype();
    }

    private long computedCount() {
        return pass == Pass.BACKWARD_WEIGHT ? problem.filterCount() : problem.resultCount();
    }

    private static long aligned(long bytes) {
        return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
    }

    private void pad(long image, long paddedImage) {
        if (padded) {
            shift(
                    backend.convolution.shift,
                    image,
                    whole.h(),
                    whole.w(),
                    paddedImage,
                    problem.h(),
                    problem.w(),
                    whole.top(),
                    whole.left());
        }
    }

    private void shift(
            Variants kernel,
            long from,
            int fromHeight,
            int fromWidth,
            long to,
            int toHeight,
            int toWidth,
            int down,
            int right) {
        int vector = Variants.vector(problem.dtype(), problem.c(), from, to);
        backend.launch(kernel.get(problem.dtype(), vector))
                .address(from)
                .address(to)
                .int32(problem.n())
                .int32(fromHeight)
                .int32(fromWidth)
                .int32(toHeight)
                .int32(toWidth)
                .int32(problem.c())
                .int32(down)
                .int32(right)
                .plane((long) toWidth * (problem.c() / vector), (long) problem.n() * toHeight);
    }
}
