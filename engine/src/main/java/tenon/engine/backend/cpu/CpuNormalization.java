package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
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

    private static final int STREAMS = 4;
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
            Arrays.fill(first, 0, line.width, 0);
            Arrays.fill(second, 0, line.width, 0);
            Arrays.fill(totals, 0, 2 * line.columns, 0);
        }

        void fold(NormLine line) {
            line.fold(first, totals, 0);
            line.fold(second, totals, line.columns);
        }
    }

    /** Work on the line of {@code width} elements that starts with row {@code row}. */
    @FunctionalInterface
    private interface Line {
        void run(Sums sums, long row, int width);
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
        long columns = line.columns;
        float[] pivot = line.offset;
        pivot(kernels, x, rows, pivot);
        reduce(rows, (own, row, width) -> kernels.moments(x, row * columns, width, pivot, own.first, own.second));
    }

    private void pivot(NormKernels kernels, MemorySegment x, long rows, float[] pivot) {
        Sums own = sums[0];
        own.clear(line);
        Arrays.fill(pivot, 0, line.columns, 0);
        int count = (int) Math.min(PIVOT_ROWS, rows);
        for (int i = 0; i < count; i++) {
            kernels.moments(x, rows * i / count * line.columns, line.columns, pivot, own.first, own.second);
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
        MemorySegment y = output.segment();
        boolean relu = relu(spec);
        long columns = line.columns;
        long rows = input.shape().outerCount();
        if (shortcut == null) {
            long stride = output.shape().dim(-1);
            forEach(
                    rows,
                    (_, row, width) ->
                            kernels.normalize(x, row * columns, y, row * stride + offset, width, line, relu));
        } else {
            MemorySegment added = shortcut.segment();
            forEach(rows, (_, row, width) -> kernels.normalizeAdd(x, added, y, row * columns, width, line, relu));
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
            line.layOut(input.shape().dim(-1), strided(input, gradOutput));
            prepare(spec, gamma, beta, mean, variance);
            NormKernels kernels = kernels(input);
            MemorySegment x = input.segment();
            MemorySegment g = gradOutput.segment();
            long columns = line.columns;
            long stride = gradOutput.shape().dim(-1);
            long rows = input.shape().outerCount();
            boolean relu = relu(spec);
            if (output == null) {
                reduce(
                        rows,
                        (own, row, width) -> kernels.reduce(
                                x, row * columns, g, row * stride + offset, width, line, relu, own.first, own.second));
                parameterGradients(spec, variance, rows, constantStatistics, gradGamma, gradBeta);
                if (gradInput != null) {
                    MemorySegment gx = gradInput.segment();
                    forEach(
                            rows,
                            (_, row, width) ->
                                    kernels.apply(x, row * columns, g, row * stride + offset, gx, width, line, relu));
                }
            } else {
                // Masked once, into memory that is wanted or overwritten later.
                MemorySegment y = output.segment();
                MemorySegment masked = (gradShortcut == null ? gradInput : gradShortcut).segment();
                reduce(
                        rows,
                        (own, row, width) -> kernels.reduceMasking(
                                x, y, g, masked, row * columns, width, line, own.first, own.second));
                parameterGradients(spec, variance, rows, constantStatistics, gradGamma, gradBeta);
                if (gradInput != null) {
                    MemorySegment gx = gradInput.segment();
                    forEach(
                            rows,
                            (_, row, width) ->
                                    kernels.apply(x, row * columns, masked, row * columns, gx, width, line, false));
                }
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
    private void reduce(long rows, Line body) {
        int parts = parts(rows);
        backend.parallel.parts(
                parts, part -> sum(firstRow(rows, part, parts), firstRow(rows, part + 1, parts), sums[part], body));
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

    /** Reads several ranges side by side: one core alone gets up to twice the bandwidth from them. */
    private void sum(long from, long to, Sums own, Line body) {
        own.clear(line);
        long range = (to - from) / line.rows / STREAMS * line.rows;
        int summed = 0;
        for (long row = from; row < from + range; row += line.rows) {
            for (int stream = 0; stream < STREAMS; stream++) {
                body.run(own, row + stream * range, line.width);
            }
            summed += STREAMS;
            if (summed >= BLOCK) {
                own.fold(line);
                summed = 0;
            }
        }
        walk(from + STREAMS * range, to, own, body);
        own.fold(line);
    }

    private void forEach(long rows, Line body) {
        int parts = parts(rows);
        backend.parallel.parts(
                parts, part -> walk(firstRow(rows, part, parts), firstRow(rows, part + 1, parts), sums[part], body));
    }

    /** Line after line, the last one possibly shorter. */
    private void walk(long from, long to, Sums own, Line body) {
        for (long row = from; row < to; row += line.rows) {
            body.run(own, row, (int) Math.min(line.rows, to - row) * line.columns);
        }
    }

    private static void requireSamples(Tensor input) {
        if (input.elementCount() == 0) {
            throw new ShapeException(TenonException.where("batch_norm") + ": training needs at least one sample: input="
                    + input.shape());
        }
    }
}
