package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.ChannelKernels;
import tenon.engine.ops.Activation;

/** Copies of channel ranges, parallel over the pixels: oneDNN's strided slices are reference loops. */
final class CpuChannels implements ChannelKernels {
    /**
     * Ranges of one tensor take turns about every so many bytes of it. A range alone is read and written at half the speed of memory: processors prefetch
     * the lines that follow, which are the next range's.
     */
    private static final int TURN = 1024;

    private final CpuBackend backend;
    private final ChannelLoops loops = ChannelLoops.best();
    private final ActivationLoops activations = ActivationLoops.best();

    CpuChannels(CpuBackend backend) {
        this.backend = backend;
    }

    @Override
    public void copy(Tensor from, int fromOffset, Tensor to, int toOffset, int count) {
        backend.checkDType("concat", from, to);
        MemorySegment in = from.segment();
        MemorySegment out = to.segment();
        long size = from.dtype().byteSize();
        long inStride = from.shape().dim(-1) * size;
        long outStride = to.shape().dim(-1) * size;
        if (count > 0) {
            backend.parallel.range(
                    from.shape().outerCount(),
                    Math.max(1, CpuBackend.GRAIN / count),
                    (first, last) -> loops.copy(
                            in,
                            inStride,
                            fromOffset * size,
                            out,
                            outStride,
                            toOffset * size,
                            count * size,
                            first,
                            last));
        }
    }

    @Override
    public void activate(Activation activation, Tensor[] from, Tensor to, int toOffset) {
        for (Tensor tensor : from) {
            backend.checkDType("concat", tensor, to);
        }
        boolean bf16 = to.dtype() == DType.BF16;
        MemorySegment out = to.segment();
        long width = to.shape().dim(-1);
        long size = to.dtype().byteSize();
        Rows body;
        if (activation.kind() == Activation.Kind.NONE) {
            body = (in, columns, offset, first, last) ->
                    loops.copy(in, columns * size, 0, out, width * size, offset * size, columns * size, first, last);
        } else {
            body = (in, columns, offset, first, last) -> {
                for (long r = first; r < last; r++) {
                    activations.forward(activation, bf16, in, r * columns, out, r * width + offset, columns);
                }
            };
        }
        inTurns(to, from, toOffset, body);
    }

    @Override
    public void activateBackward(
            Activation activation, Tensor output, Tensor gradOutput, int offset, Tensor[] gradInput) {
        for (Tensor tensor : gradInput) {
            backend.checkDType("concat", tensor, gradOutput);
        }
        boolean bf16 = gradOutput.dtype() == DType.BF16;
        MemorySegment g = gradOutput.segment();
        long width = gradOutput.shape().dim(-1);
        long size = gradOutput.dtype().byteSize();
        Rows body;
        if (activation.kind() == Activation.Kind.NONE) {
            body = (gx, columns, at, first, last) ->
                    loops.copy(g, width * size, at * size, gx, columns * size, 0, columns * size, first, last);
        } else {
            MemorySegment y = output.segment();
            body = (gx, columns, at, first, last) -> {
                for (long r = first; r < last; r++) {
                    activations.backward(activation, bf16, y, g, r * width + at, gx, r * columns, columns);
                }
            };
        }
        inTurns(gradOutput, gradInput, offset, body);
    }

    /** Work on rows [from, to) of a tensor and the range of a wider one that begins at {@code offset}. */
    @FunctionalInterface
    private interface Rows {
        void run(MemorySegment narrow, int columns, int offset, long from, long to);
    }

    /** Runs {@code body} for each of the tensors whose channels follow each other in the wide one. */
    private void inTurns(Tensor wide, Tensor[] narrow, int offset, Rows body) {
        MemorySegment[] segments = Arrays.stream(narrow).map(Tensor::segment).toArray(MemorySegment[]::new);
        int[] columns =
                Arrays.stream(narrow).mapToInt(tensor -> tensor.shape().dim(-1)).toArray();
        int sum = Arrays.stream(columns).sum();
        if (sum == 0) {
            return;
        }
        long width = wide.shape().dim(-1) * (long) wide.dtype().byteSize();
        long turn = Math.max(1, TURN / width);
        backend.parallel.range(
                wide.shape().outerCount(),
                Math.max(1, CpuBackend.GRAIN / sum),
                (first, last) -> CpuBackend.blocks(first, last, turn, (from, to) -> {
                    int at = offset;
                    for (int i = 0; i < segments.length; i++) {
                        body.run(segments[i], columns[i], at, from, to);
                        at += columns[i];
                    }
                }));
    }
}
