package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.ChannelKernels;

/** Copies of channel ranges, parallel over the pixels: oneDNN's strided slices are reference loops. */
final class CpuChannels implements ChannelKernels {
    private final CpuBackend backend;

    CpuChannels(CpuBackend backend) {
        this.backend = backend;
    }

    @Override
    public void copy(Tensor from, int fromOffset, Tensor to, int toOffset, int count) {
        backend.checkDType("concat", from, to);
        if (count == 0) {
            return;
        }
        MemorySegment in = from.segment();
        MemorySegment out = to.segment();
        long fromColumns = from.shape().dim(-1);
        long toColumns = to.shape().dim(-1);
        boolean bf16 = from.dtype() == DType.BF16;
        ArithmeticLoops loops = backend.arithmetic;
        backend.parallel.range(
                from.shape().outerCount(),
                Math.max(1, CpuBackend.GRAIN / count),
                (first, last) -> loops.copyColumns(
                        bf16, in, fromColumns, fromOffset, out, toColumns, toOffset, count, first, last));
    }
}
