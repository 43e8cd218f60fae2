package tenon.engine.backend.cuda;

import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.NormalizationKernels;
import tenon.engine.ops.BatchNormSpec;

/**
 * Batch normalization by own kernels: two passes over memory forward (statistics; normalize, add, activate) and two backward (sums; gradients).
 *
 * <p>Every sum is taken in an order that depends on the shape alone.
 */
final class OwnNormalization implements NormalizationKernels {
    private static final String FILE = "normalization";

    private final CudaBackend backend;
    private final Variants statistics;
    private final Variants normalize;
    private final Variants sumGradients;
    private final Variants inputGradient;
    private Kernel mergeStatistics;
    private Kernel mergeGradients;
    private Kernel moveAverages;

    OwnNormalization(CudaBackend backend) {
        this.backend = backend;
        statistics = new Variants(backend, FILE, "statistics");
        normalize = new Variants(backend, FILE, "normalize");
        sumGradients = new Variants(backend, FILE, "sum_gradients");
        inputGradient = new Variants(backend, FILE, "input_gradient");
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
        backend.checkDType("batch_norm", input, output);
        int channels = input.shape().dim(-1);
        long rows = input.shape().outerCount();
        int vector = Variants.vector(input.dtype(), channels, input.address());
        RowBlocks blocks = RowBlocks.of(rows, channels, vector);
        synchronized (backend.lock) {
            long shifts = backend.scratch.get((2L * blocks.chunks() + 1) * channels * Float.BYTES);
            long partials = shifts + (long) channels * Float.BYTES;
            backend.launch(statistics.get(input.dtype(), vector))
                    .address(input.address())
                    .int64(rows)
                    .int32(channels)
                    .int64(blocks.chunkRows())
                    .int32(blocks.lanesLog())
                    .address(partials)
                    .address(shifts)
                    .grid(blocks.columns(), blocks.chunks(), 1, RowBlocks.THREADS);
            if (mergeStatistics == null) {
                mergeStatistics = backend.kernels.get(FILE, "merge_statistics");
            }
            backend.launch(mergeStatistics)
                    .address(partials)
                    .address(shifts)
                    .int32(blocks.chunks())
                    .int64(blocks.chunkRows())
                    .int64(rows)
                    .int32(channels)
                    .float32((float) spec.momentum())
                    .float32((float) (1 - spec.momentum()))
                    .float32(spec.unbiasedRunningVariance() ? (float) (rows / (rows - 1.0)) : 1)
                    .address(batchMean.address())
                    .address(batchVariance.address())
                    .address(runningMean.address())
                    .address(runningVariance.address())
                    .grid(RowBlocks.merging(channels), 1, 1, RowBlocks.THREADS);
        }
        inferForward(spec, input, gamma, beta, batchMean, batchVariance, shortcut, output, offset);
    }

    /**
     * Moves the running averages towards a batch's statistics.
     *
     * @param variance the unbiased variance; becomes the biased one
     */
    void moveAverages(
            BatchNormSpec spec, long rows, Tensor mean, Tensor variance, Tensor runningMean, Tensor runningVariance) {
        if (moveAverages == null) {
            moveAverages = backend.kernels.get(FILE, "move_averages");
        }
        int channels = (int) mean.elementCount();
        backend.launch(moveAverages)
                .address(mean.address())
                .address(variance.address())
                .int32(channels)
                .float32((float) spec.momentum())
                .float32((float) (1 - spec.momentum()))
                .float32((float) ((rows - 1.0) / rows))
                .int32(spec.unbiasedRunningVariance() ? 1 : 0)
                .address(runningMean.address())
                .address(runningVariance.address())
                .elements(channels);
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
        backend.checkDType("batch_norm", input, output);
        DType dtype = input.dtype();
        int channels = input.shape().dim(-1);
        int outputChannels = output.shape().dim(-1);
        long rows = input.shape().outerCount();
        long to = output.address() + (long) offset * dtype.byteSize();
        long added = address(shortcut);
        int vector = vector(dtype, channels, outputChannels, input.address(), to, added);
        RowBlocks blocks = RowBlocks.of(rows, channels, vector);
        backend.launch(normalize.get(dtype, vector))
                .address(input.address())
                .address(address(gamma))
                .address(address(beta))
                .address(runningMean.address())
                .address(runningVariance.address())
                .float32((float) spec.epsilon())
                .float32(spec.ceiling())
                .address(added)
                .address(to)
                .int64(rows)
                .int32(channels)
                .int32(outputChannels)
                .int32(blocks.lanesLog())
                .grid(blocks.columns(), blocks.strides(), 1, RowBlocks.THREADS);
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
        backend.checkDType("batch_norm", input, gradOutput);
        DType dtype = input.dtype();
        int channels = input.shape().dim(-1);
        int gradChannels = gradOutput.shape().dim(-1);
        long rows = input.shape().outerCount();
        long from = gradOutput.address() + (long) offset * dtype.byteSize();
        long toInput = address(gradInput);
        long toShortcut = address(gradShortcut);
        int vector = vector(dtype, channels, gradChannels, input.address(), address(output), from, toInput, toShortcut);
        RowBlocks blocks = RowBlocks.of(rows, channels, vector);
        boolean needsMeans = gradInput != null && !constantStatistics;
        synchronized (backend.lock) {
            long means = 0;
            float ceiling = spec.ceiling();
            if (needsMeans || gradGamma != null || gradBeta != null) {
                means = backend.scratch.get(2L * (blocks.chunks() + 1) * channels * Float.BYTES);
                long partials = means + 2L * channels * Float.BYTES;
                arguments(sumGradients.get(dtype, vector), spec, input, gamma, beta, mean, variance, ceiling)
                        .address(address(output))
                        .address(from)
                        .int32(gradChannels)
                        .address(toShortcut)
                        .int64(rows)
                        .int32(channels)
                        .int64(blocks.chunkRows())
                        .int32(blocks.lanesLog())
                        .address(partials)
                        .grid(blocks.columns(), blocks.chunks(), 1, RowBlocks.THREADS);
                if (mergeGradients == null) {
                    mergeGradients = backend.kernels.get(FILE, "merge_gradients");
                }
                backend.launch(mergeGradients)
                        .address(partials)
                        .int32(blocks.chunks())
                        .int64(rows)
                        .int32(channels)
                        .address(variance.address())
                        .float32((float) spec.epsilon())
                        .address(address(gradGamma))
                        .address(address(gradBeta))
                        .address(means)
                        .grid(RowBlocks.merging(channels), 1, 1, RowBlocks.THREADS);
                if (toShortcut != 0) {
                    // The sums' pass has written it, and what the activation let pass with it.
                    from = toShortcut;
                    gradChannels = channels;
                    ceiling = 0;
                    toShortcut = 0;
                }
            }
            if (toInput != 0 || toShortcut != 0) {
                arguments(inputGradient.get(dtype, vector), spec, input, gamma, beta, mean, variance, ceiling)
                        .address(address(output))
                        .address(from)
                        .int32(gradChannels)
                        .address(constantStatistics ? 0 : means)
                        .address(toInput)
                        .address(toShortcut)
                        .int64(rows)
                        .int32(channels)
                        .int32(blocks.lanesLog())
                        .grid(blocks.columns(), blocks.strides(), 1, RowBlocks.THREADS);
            }
        }
    }

    private Launch arguments(
            Kernel kernel,
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor mean,
            Tensor variance,
            float ceiling) {
        return backend.launch(kernel)
                .address(input.address())
                .address(address(gamma))
                .address(address(beta))
                .address(mean.address())
                .address(variance.address())
                .float32((float) spec.epsilon())
                .float32(ceiling);
    }

    /** Vectors must fit the rows of the wider tensor too. */
    private static int vector(DType dtype, int channels, int wider, long... addresses) {
        return wider % Variants.width(dtype) == 0 ? Variants.vector(dtype, channels, addresses) : 1;
    }

    private static long address(Tensor tensor) {
        return tensor == null ? 0 : tensor.address();
    }
}
