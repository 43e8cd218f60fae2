package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import tenon.engine.DType;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.NormalizationKernels;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;

/**
 * Batch normalization on own kernels: two passes over memory forward (statistics; normalize, add, activate) and two backward (sums; gradient). oneDNN sums the
 * statistics up in F32 one value after the other (1e-4 off over 65,536 values), keeps a mask of the ReLU in memory, and knows neither sums nor channel ranges.
 *
 * <p>Each thread has a contiguous range of rows. Sums are taken in F32 over a few hundred values, then in F64, in an order given by shape and thread count.
 */
final class CpuNormalization implements NormalizationKernels {
    /** Fewest elements that are worth a second thread. */
    private static final long GRAIN = 16384;
    /** Lines summed up in F32. */
    private static final int BLOCK = 128;
    /** Rows whose mean is the pivot of the moments: close to the mean, a sum of squares loses nothing to cancellation. */
    private static final int PIVOT_ROWS = 8;

    /** What one thread sums up. */
    private static final class Sums {
        float[] first = {};
        float[] second = {};
        /** Both sums of each channel. */
        double[] totals = {};

        void clear(NormLine line) {
            if (first.length < line.width || totals.length < 2 * line.columns) {
                first = new float[line.width];
                second = new float[line.width];
                totals = new double[2 * line.columns];
            }
            java.util.Arrays.fill(first, 0, line.width, 0);
            java.util.Arrays.fill(second, 0, line.width, 0);
            java.util.Arrays.fill(totals, 0, 2 * line.columns, 0);
        }

        void fold(NormLine line) {
            line.fold(first, totals, 0);
            line.fold(second, totals, line.columns);
        }
    }

    /** Work on {@code lines} lines of {@code width} elements, the first of them in row {@code row}. */
    @FunctionalInterface
    private interface Lines {
        void run(Sums sums, long row, long lines, int width);
    }

    private final CpuBackend backend;
    private final NormKernels f32 = NormKernels.of(DType.F32);
    private final NormKernels bf16 = NormKernels.of(DType.BF16);
    /** Guards itself, {@link #sums} and {@link #totals}. */
    private final NormLine line = new NormLine();

    private final Sums[] sums;
    private double[] totals = {};

    CpuNormalization(CpuBackend backend, int threads) {
        this.backend = backend;
        sums = new Sums[threads];
        for (int i = 0; i < threads; i++) {
            sums[i] = new Sums();
        }
    }

    private NormKernels kernels(Tensor input) {
        return input.dtype() == DType.BF16 ? bf16 : f32;
    }

    private static boolean relu(BatchNormSpec spec) {
        return spec.activation().kind() == Activation.Kind.RELU;
    }

    private static MemorySegment segment(Tensor tensor) {
        return tensor == null ? null : tensor.segment();
    }

    // ---- forward ----

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
        requireSamples(input);
        synchronized (line) {
            line.layOut(input.shape().dim(-1), strided(input, output));
            moments(input);
            statistics(spec, input.shape().outerCount(), runningMean, runningVariance, batchMean, batchVariance);
            prepare(spec, gamma, beta, batchMean, batchVariance);
            normalize(spec, input, shortcut, output, offset);
        }
    }

    private static boolean strided(Tensor input, Tensor output) {
        return !output.shape().equals(input.shape());
    }

    /** Sums of x − pivot and its square into the totals; the pivots are in the line's offsets. */
    private void moments(Tensor input) {
        NormKernels kernels = kernels(input);
        MemorySegment x = input.segment();
        long rows = input.shape().outerCount();
        int columns = line.columns;
        float[] pivot = line.offset;
        pivot(kernels, x, rows, pivot);
        reduce(
                rows,
                (own, row, lines, width) ->
                        kernels.moments(x, row * columns, lines, width, pivot, own.first, own.second));
    }

    private void pivot(NormKernels kernels, MemorySegment x, long rows, float[] pivot) {
        Sums own = sums[0];
        own.clear(line);
        java.util.Arrays.fill(pivot, 0, line.columns, 0);
        int count = (int) Math.min(PIVOT_ROWS, rows);
        for (int i = 0; i < count; i++) {
            kernels.moments(x, rows * i / count * line.columns, 1, line.columns, pivot, own.first, own.second);
        }
        for (int c = 0; c < line.columns; c++) {
            pivot[c] = own.first[c] / count;
        }
        line.repeat(pivot);
    }

    private void statistics(
            BatchNormSpec spec, long rows, Tensor runningMean, Tensor runningVariance, Tensor mean, Tensor variance) {
        MemorySegment means = mean.segment();
        MemorySegment variances = variance.segment();
        double momentum = spec.momentum();
        double unbias = spec.unbiasedRunningVariance() && rows > 1 ? rows / (rows - 1.0) : 1;
        for (int c = 0; c < line.columns; c++) {
            double difference = totals[c] / rows;
            double average = line.offset[c] + difference;
            double square = Math.max(0, totals[line.columns + c] / rows - difference * difference);
            Floats.set(means, c, (float) average);
            Floats.set(variances, c, (float) square);
            move(runningMean.segment(), c, momentum, average);
            move(runningVariance.segment(), c, momentum, square * unbias);
        }
    }

    private static void move(MemorySegment running, int c, double momentum, double value) {
        Floats.set(running, c, (float) ((1 - momentum) * Floats.get(running, c) + momentum * value));
    }

    /** Sets the line's mean, scale and shift: the same for the forward and the backward pass. */
    private void prepare(BatchNormSpec spec, Tensor gamma, Tensor beta, Tensor mean, Tensor variance) {
        for (int c = 0; c < line.columns; c++) {
            line.mean[c] = canonical(Floats.get(mean.segment(), c));
            double inverse = 1 / Math.sqrt(Floats.get(variance.segment(), c) + spec.epsilon());
            line.scale[c] = canonical((float) (gamma == null ? inverse : inverse * Floats.get(gamma.segment(), c)));
            line.shift[c] = beta == null ? 0 : canonical(Floats.get(beta.segment(), c));
        }
        line.repeat(line.mean);
        line.repeat(line.scale);
        line.repeat(line.shift);
    }

    /** Other NaN might not survive {@link Lanes#storeBf16}. */
    private static float canonical(float x) {
        return x == x ? x : Float.NaN;
    }

    private void normalize(BatchNormSpec spec, Tensor input, Tensor shortcut, Tensor output, int offset) {
        NormKernels kernels = kernels(input);
        MemorySegment x = input.segment();
        MemorySegment added = segment(shortcut);
        MemorySegment y = output.segment();
        boolean relu = relu(spec);
        int columns = line.columns;
        long stride = output.shape().dim(-1);
        forEach(
                input.shape().outerCount(),
                (_, row, lines, width) -> kernels.normalize(
                        x,
                        row * columns,
                        added,
                        y,
                        row * stride + offset,
                        lineStride(stride, width),
                        lines,
                        width,
                        line,
                        relu));
    }

    /** Elements between the starts of two lines of a tensor with {@code stride} channels. */
    private long lineStride(long stride, int width) {
        return stride == line.columns ? width : stride;
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
        synchronized (line) {
            line.layOut(input.shape().dim(-1), strided(input, output));
            prepare(spec, gamma, beta, runningMean, runningVariance);
            normalize(spec, input, shortcut, output, offset);
        }
    }

    // ---- backward ----

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
        requireSamples(input);
        synchronized (line) {
            NormKernels kernels = kernels(input);
            long rows = input.shape().outerCount();
            int columns = input.shape().dim(-1);
            line.layOut(columns, strided(input, gradOutput));
            prepare(spec, gamma, beta, mean, variance);
            MemorySegment x = input.segment();
            MemorySegment y = segment(output);
            MemorySegment g = gradOutput.segment();
            MemorySegment h = segment(gradShortcut);
            long stride = gradOutput.shape().dim(-1);
            NormKernels.Mask mask = !relu(spec)
                    ? NormKernels.Mask.EVERYWHERE
                    : output == null ? NormKernels.Mask.NORMALIZED : NormKernels.Mask.OUTPUT;
            if (mask == NormKernels.Mask.OUTPUT && h == null && gradInput != null) {
                // Masked once, into memory that is overwritten by the gradient.
                h = gradInput.segment();
            }
            MemorySegment masked = h;
            reduce(
                    rows,
                    (own, row, lines, width) -> kernels.reduce(
                            x,
                            row * columns,
                            y,
                            g,
                            row * stride + offset,
                            lineStride(stride, width),
                            masked,
                            lines,
                            width,
                            line,
                            mask,
                            own.first,
                            own.second));
            parameterGradients(spec, variance, rows, constantStatistics, gradGamma, gradBeta);
            if (gradInput != null) {
                MemorySegment gx = gradInput.segment();
                boolean done = masked != null || mask == NormKernels.Mask.EVERYWHERE;
                MemorySegment from = masked == null ? g : masked;
                long fromStride = masked == null ? stride : columns;
                int fromOffset = masked == null ? offset : 0;
                forEach(
                        rows,
                        (_, row, lines, width) -> kernels.apply(
                                x,
                                row * columns,
                                from,
                                row * fromStride + fromOffset,
                                lineStride(fromStride, width),
                                gx,
                                lines,
                                width,
                                line,
                                done));
            }
        }
    }

    /** Gradients of gamma and beta, and the line's slope and offset for the input's. */
    private void parameterGradients(
            BatchNormSpec spec, Tensor variance, long rows, boolean constants, Tensor gradGamma, Tensor gradBeta) {
        for (int c = 0; c < line.columns; c++) {
            double inverse = 1 / Math.sqrt(Floats.get(variance.segment(), c) + spec.epsilon());
            double sum = totals[c];
            double normalized = totals[line.columns + c] * inverse;
            if (gradGamma != null) {
                Floats.set(gradGamma.segment(), c, (float) normalized);
            }
            if (gradBeta != null) {
                Floats.set(gradBeta.segment(), c, (float) sum);
            }
            line.slope[c] = constants ? 0 : canonical((float) (-line.scale[c] * inverse * normalized / rows));
            line.offset[c] = constants ? 0 : canonical((float) (-line.scale[c] * sum / rows));
        }
        line.repeat(line.slope);
        line.repeat(line.offset);
    }

    // ---- loops ----

    private int parts(long rows) {
        return (int) Math.max(1, Math.min(sums.length, rows * line.columns / GRAIN));
    }

    /** First row of a part: a part has whole lines, but for the last. */
    private long firstRow(long rows, int part, int parts) {
        return part == parts ? rows : rows * part / parts / line.rows * line.rows;
    }

    /** Runs a body that adds to the sums over all rows; then the totals hold the sums of each channel. */
    private void reduce(long rows, Lines body) {
        int parts = parts(rows);
        backend.parallel.parts(parts, part -> {
            Sums own = sums[part];
            own.clear(line);
            run(firstRow(rows, part, parts), firstRow(rows, part + 1, parts), own, true, body);
        });
        int count = 2 * line.columns;
        if (totals.length < count) {
            totals = new double[count];
        }
        System.arraycopy(sums[0].totals, 0, totals, 0, count);
        for (int part = 1; part < parts; part++) {
            for (int i = 0; i < count; i++) {
                totals[i] += sums[part].totals[i];
            }
        }
    }

    private void forEach(long rows, Lines body) {
        int parts = parts(rows);
        backend.parallel.parts(
                parts,
                part -> run(firstRow(rows, part, parts), firstRow(rows, part + 1, parts), sums[part], false, body));
    }

    private void run(long from, long to, Sums own, boolean fold, Lines body) {
        long lines = (to - from) / line.rows;
        for (long done = 0; done < lines; done += BLOCK) {
            body.run(own, from + done * line.rows, Math.min(BLOCK, lines - done), line.width);
            if (fold) {
                own.fold(line);
            }
        }
        long row = from + lines * line.rows;
        if (row < to) {
            body.run(own, row, 1, (int) (to - row) * line.columns);
            if (fold) {
                own.fold(line);
            }
        }
    }

    private static void requireSamples(Tensor input) {
        if (input.elementCount() == 0) {
            throw new ShapeException(TenonException.where("batch_norm") + ": training needs at least one sample: input="
                    + input.shape());
        }
    }
}
