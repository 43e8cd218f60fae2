package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import tenon.engine.DType;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.NormalizationKernels;
import tenon.engine.ops.BatchNormSpec;

/**
 * Batch normalization on own kernels: two passes over memory forward (statistics; normalize, add, activate) and two backward (sums; gradient). oneDNN sums the
 * statistics up in F32 one value after the other (1e-4 off over 65,536 values), keeps a mask of the ReLU in memory, and knows neither sums nor channel ranges.
 *
 * <p>Each thread has a contiguous range of rows. Sums are taken in F32 over a few hundred values, then in F64, in an order given by shape and thread count.
 */
final class CpuNormalization implements NormalizationKernels {
    /** Fewest elements that are worth a second thread. */
    private static final long GRAIN = 32768;

    /** Elements that are summed up in one go. */
    private static final int BLOCK = 65536;
    /** Most values that are summed up in F32 between two additions in F64. */
    private static final int MAX_SUMMED = 512;
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
                int width = Math.max(first.length, line.width);
                first = new float[width];
                second = new float[width];
                totals = new double[Math.max(totals.length, 2 * line.columns)];
            }
            Arrays.fill(first, 0, line.width, 0);
            Arrays.fill(second, 0, line.width, 0);
            Arrays.fill(totals, 0, 2 * line.columns, 0);
        }

        /** Adds the sums of {@code rows} rows' elements to the totals. */
        void fold(NormLine line, int rows) {
            line.fold(first, rows, totals, 0);
            line.fold(second, rows, totals, line.columns);
        }
    }

    /** Sums over {@code count} rows, or elements of a line, from row {@code row} on. */
    @FunctionalInterface
    private interface Rows {
        void run(Sums sums, long row, int count);
    }

    /** Work on the line of {@code width} elements that starts with row {@code row}. */
    @FunctionalInterface
    private interface Line {
        void run(long row, int width);
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
        long columns = line.columns;
        float[] pivot = line.offset;
        pivot(kernels, x, input.shape().outerCount(), pivot);
        int period = line.period;
        int width = period * line.columns;
        reduce(input.shape().outerCount(), period, (own, row, rows) -> {
            int lines = rows / period;
            kernels.moments(x, row * columns, lines, width, pivot, own.first, own.second);
            int rest = rows - lines * period;
            if (rest > 0) {
                long at = (row + rows - rest) * columns;
                kernels.moments(x, at, 1, rest * line.columns, pivot, own.first, own.second);
            }
        });
    }

    private void pivot(NormKernels kernels, MemorySegment x, long rows, float[] pivot) {
        Sums own = sums[0];
        own.clear(line);
        Arrays.fill(pivot, 0, line.columns, 0);
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
        MemorySegment y = output.segment();
        float ceiling = spec.ceiling();
        long columns = line.columns;
        long rows = input.shape().outerCount();
        if (shortcut == null) {
            long stride = output.shape().dim(-1);
            forEach(
                    rows,
                    (row, width) ->
                            kernels.normalize(x, row * columns, y, row * stride + offset, width, line, ceiling));
        } else {
            MemorySegment added = shortcut.segment();
            forEach(rows, (row, width) -> kernels.normalizeAdd(x, added, y, row * columns, width, line, ceiling));
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
            float ceiling = spec.ceiling();
            if (output == null) {
                reduce(
                        rows,
                        line.rows,
                        perLine((own, row, width) -> kernels.reduce(
                                x,
                                row * columns,
                                g,
                                row * stride + offset,
                                width,
                                line,
                                ceiling,
                                own.first,
                                own.second)));
                parameterGradients(spec, variance, rows, constantStatistics, gradGamma, gradBeta);
                if (gradInput != null) {
                    MemorySegment gx = gradInput.segment();
                    forEach(
                            rows,
                            (row, width) -> kernels.apply(
                                    x, row * columns, g, row * stride + offset, gx, width, line, ceiling));
                }
            } else {
                // Masked once, into memory that is wanted or overwritten later.
                MemorySegment y = output.segment();
                MemorySegment masked = (gradShortcut == null ? gradInput : gradShortcut).segment();
                reduce(
                        rows,
                        line.rows,
                        perLine((own, row, width) -> kernels.reduceMasking(
                                x, y, g, masked, row * columns, width, line, ceiling, own.first, own.second)));
                parameterGradients(spec, variance, rows, constantStatistics, gradGamma, gradBeta);
                if (gradInput != null) {
                    MemorySegment gx = gradInput.segment();
                    forEach(
                            rows,
                            (row, width) -> kernels.apply(x, row * columns, masked, row * columns, gx, width, line, 0));
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

    /**
     * Runs a body that adds to the sums over all rows; then the totals hold the sums of each channel.
     *
     * @param apart rows whose elements the body sums up apart
     */
    private void reduce(long rows, int apart, Rows body) {
        int parts = parts(rows);
        backend.parallel.parts(
                parts,
                part -> sum(firstRow(rows, part, parts), firstRow(rows, part + 1, parts), apart, sums[part], body));
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

    /** From the last block to the first: the input's end was written last, and its start is read next, so that both are in the cache. */
    private void sum(long from, long to, int apart, Sums own, Rows body) {
        own.clear(line);
        long step = Math.clamp(BLOCK / line.columns, 1, MAX_SUMMED) / line.rows * line.rows;
        step = Math.max(step, line.rows);
        long summed = 0;
        long end = to;
        while (end > from) {
            // Blocks start at multiples of the step from the first row, so that lines are whole but for the last.
            long start = from + (end - 1 - from) / step * step;
            if (summed + step > (long) MAX_SUMMED * apart) {
                own.fold(line, apart);
                summed = 0;
            }
            body.run(own, start, (int) (end - start));
            summed += step;
            end = start;
        }
        own.fold(line, apart);
    }

    /** Line after line, the last one possibly shorter; so is the method below. */
    private Rows perLine(Rows body) {
        return (own, first, count) -> {
            long end = first + count;
            for (long row = first; row < end; row += line.rows) {
                body.run(own, row, (int) Math.min(line.rows, end - row) * line.columns);
            }
        };
    }

    private void walk(long from, long to, Line body) {
        for (long row = from; row < to; row += line.rows) {
            body.run(row, (int) Math.min(line.rows, to - row) * line.columns);
        }
    }

    private void forEach(long rows, Line body) {
        int parts = parts(rows);
        backend.parallel.parts(parts, part -> walk(firstRow(rows, part, parts), firstRow(rows, part + 1, parts), body));
    }

    private static void requireSamples(Tensor input) {
        if (input.elementCount() == 0) {
            throw new ShapeException(TenonException.where("batch_norm") + ": training needs at least one sample: input="
                    + input.shape());
        }
    }
}
