package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.ChannelKernels;
import tenon.engine.ops.Activation;

/** Copies of channel ranges, parallel over the pixels: oneDNN's strided slices are reference loops. */
final class CpuChannels implements ChannelKernels {
    private final CpuBackend backend;
    private final ChannelLoops loops = ChannelLoops.best();

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
        rows(
                from,
                count,
                (first, last) -> loops.copy(
                        in, inStride, fromOffset * size, out, outStride, toOffset * size, count * size, first, last));
    }

    @Override
    public void activate(Activation activation, Tensor from, Tensor to, int toOffset) {
        backend.checkDType("concat", from, to);
        boolean bf16 = from.dtype() == DType.BF16;
        MemorySegment in = from.segment();
        MemorySegment out = to.segment();
        int columns = from.shape().dim(-1);
        long toColumns = to.shape().dim(-1);
        rows(
                from,
                columns,
                (first, last) -> loops.activate(bf16, activation, in, columns, out, toColumns, toOffset, first, last));
    }

    @Override
    public void activateBackward(
            Activation activation, Tensor output, Tensor gradOutput, int offset, Tensor gradInput) {
        backend.checkDType("concat", output, gradOutput, gradInput);
        boolean bf16 = output.dtype() == DType.BF16;
        MemorySegment y = output.segment();
        MemorySegment g = gradOutput.segment();
        MemorySegment gx = gradInput.segment();
        int columns = gradInput.shape().dim(-1);
        long wideColumns = output.shape().dim(-1);
        rows(
                gradInput,
                columns,
                (first, last) -> loops.gradient(bf16, activation, y, g, wideColumns, offset, gx, columns, first, last));
    }

    private void rows(Tensor tensor, int columns, Parallel.Range body) {
        if (columns > 0) {
            backend.parallel.range(tensor.shape().outerCount(), Math.max(1, CpuBackend.GRAIN / columns), body);
        }
    }
}
