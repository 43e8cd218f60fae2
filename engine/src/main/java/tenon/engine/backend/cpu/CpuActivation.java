package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.ActivationKernels;
import tenon.engine.ops.Activation;

/** Activations on own kernels, which keep NaN where oneDNN's clipping gives 0 and run at the speed of memory. */
final class CpuActivation implements ActivationKernels {
    /** Rows whose products are summed up in F32. */
    private static final long BLOCK = 64;
    /** Most parts of a sum over rows. */
    private static final int MAX_STRIPES = 16;

    private final CpuBackend backend;
    private final ActivationLoops loops = ActivationLoops.best();

    CpuActivation(CpuBackend backend) {
        this.backend = backend;
    }

    @Override
    public void forward(Activation activation, Tensor input, Tensor output) {
        backend.checkDType(activation.opName(), input, output);
        boolean bf16 = input.dtype() == DType.BF16;
        MemorySegment in = input.segment();
        MemorySegment out = output.segment();
        run(activation, input, output, (from, to) -> loops.forward(activation, bf16, in, from, out, from, to - from));
    }

    private void run(Activation activation, Tensor from, Tensor to, Parallel.Range body) {
        if (activation.kind() != Activation.Kind.NONE) {
            backend.elementwise(from.elementCount(), body);
        } else if (!from.sharesMemoryWith(to)) {
            backend.copy(from, to);
        }
    }

    @Override
    public void backward(Activation activation, Tensor output, Tensor gradOutput, Tensor gradInput) {
        backend.checkDType(activation.opName(), output, gradOutput, gradInput);
        boolean bf16 = output.dtype() == DType.BF16;
        MemorySegment y = output.segment();
        MemorySegment g = gradOutput.segment();
        MemorySegment gx = gradInput.segment();
        run(
                activation,
                gradOutput,
                gradInput,
                (from, to) -> loops.backward(activation, bf16, y, g, from, gx, from, to - from));
    }

    @Override
    public void addForward(Activation activation, Tensor a, Tensor b, Tensor output) {
        backend.checkDType("add", a, b, output);
        if (activation.kind() != Activation.Kind.RELU) {
            backend.add(a, b, output);
            forward(activation, output, output);
            return;
        }
        boolean bf16 = output.dtype() == DType.BF16;
        MemorySegment left = a.segment();
        MemorySegment right = b.segment();
        MemorySegment out = output.segment();
        backend.elementwise(output.elementCount(), (from, to) -> loops.addRelu(bf16, left, right, out, from, to));
    }

    @Override
    public void preluForward(Tensor input, Tensor slope, Tensor output) {
        backend.checkDTypes("prelu", input, output, slope);
        boolean bf16 = input.dtype() == DType.BF16;
        MemorySegment in = input.segment();
        MemorySegment slopes = slope.segment();
        MemorySegment out = output.segment();
        rows(input, (columns, from, to) -> loops.prelu(bf16, in, slopes, out, columns, from, to));
    }

    @Override
    public void preluBackward(Tensor input, Tensor slope, Tensor gradOutput, Tensor gradInput, Tensor gradSlope) {
        backend.checkDTypes("prelu", input, gradOutput, slope);
        boolean bf16 = input.dtype() == DType.BF16;
        MemorySegment in = input.segment();
        MemorySegment slopes = slope.segment();
        MemorySegment g = gradOutput.segment();
        // First, for the input's gradient may overwrite the output's.
        if (gradSlope != null) {
            preluSlopes(input, gradOutput, gradSlope);
        }
        if (gradInput != null) {
            MemorySegment gx = gradInput.segment();
            rows(input, (columns, from, to) -> loops.preluBackward(bf16, in, slopes, g, gx, columns, from, to));
        }
    }

    /** Work on rows [from, to) of a matrix. */
    @FunctionalInterface
    private interface Rows {
        void run(int columns, long from, long to);
    }

    private void rows(Tensor input, Rows body) {
        int columns = input.shape().dim(-1);
        if (input.elementCount() > 0) {
            backend.parallel.range(
                    input.elementCount() / columns,
                    Math.max(1, CpuBackend.GRAIN / columns),
                    1,
                    (from, to) -> CpuBackend.blocks(
                            from,
                            to,
                            Math.max(1, CpuBackend.GRAIN / columns),
                            (first, last) -> body.run(columns, first, last)));
        }
    }

    /** Sums in F32 over a block of rows, then in F64, in an order that depends on the shape alone. */
    private void preluSlopes(Tensor input, Tensor gradOutput, Tensor gradSlope) {
        backend.checkF32("prelu", gradSlope);
        boolean bf16 = input.dtype() == DType.BF16;
        MemorySegment in = input.segment();
        MemorySegment g = gradOutput.segment();
        int columns = input.shape().dim(-1);
        long rows = input.elementCount() / Math.max(1, columns);
        int stripes = Math.clamp(rows / BLOCK, 1, MAX_STRIPES);
        synchronized (backend.partials) {
            double[] totals = backend.partials.get(stripes * columns);
            backend.parallel.parts(stripes, stripe -> {
                float[] sums = new float[columns];
                int first = stripe * columns;
                Arrays.fill(totals, first, first + columns, 0);
                long end = rows * (stripe + 1) / stripes;
                for (long row = rows * stripe / stripes; row < end; row += BLOCK) {
                    Arrays.fill(sums, 0);
                    loops.preluSlopes(bf16, in, g, sums, columns, row, Math.min(end, row + BLOCK));
                    for (int c = 0; c < columns; c++) {
                        totals[first + c] += sums[c];
                    }
                }
            });
            for (int c = 0; c < columns; c++) {
                double total = 0;
                for (int stripe = 0; stripe < stripes; stripe++) {
                    total += totals[stripe * columns + c];
                }
                Floats.set(gradSlope.segment(), c, (float) total);
            }
        }
    }
}
