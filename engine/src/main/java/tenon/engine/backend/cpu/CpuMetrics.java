package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.MetricKernels;

/** Top k by insertion: k is small. */
final class CpuMetrics implements MetricKernels {
    private final CpuBackend backend;

    CpuMetrics(CpuBackend backend) {
        this.backend = backend;
    }

    private static boolean larger(float a, float b) {
        return Float.isNaN(a) ? !Float.isNaN(b) : a > b;
    }

    @Override
    public void topK(Tensor input, int k, Tensor output) {
        backend.checkDType("top_k", input);
        int c = input.shape().dim(1);
        boolean bf16 = input.dtype() == DType.BF16;
        MemorySegment in = input.segment();
        MemorySegment out = output.segment();
        backend.parallel.range(input.shape().dim(0), Math.max(1, CpuBackend.GRAIN / Math.max(1, c)), 1, (from, to) -> {
            for (long r = from; r < to; r++) {
                topRow(bf16, in, r * c, c, out, r * k, k);
            }
        });
    }

    private static void topRow(
            boolean bf16, MemorySegment in, long start, int c, MemorySegment out, long first, int k) {
        int found = 0;
        for (int i = 0; i < c; i++) {
            float x = Floats.get(bf16, in, start + i);
            if (found == k && !larger(x, Floats.get(bf16, in, start + Floats.getInt(out, first + k - 1)))) {
                continue;
            }
            int slot = found < k ? found++ : k - 1;
            while (slot > 0 && larger(x, Floats.get(bf16, in, start + Floats.getInt(out, first + slot - 1)))) {
                Floats.setInt(out, first + slot, Floats.getInt(out, first + slot - 1));
                slot--;
            }
            Floats.setInt(out, first + slot, i);
        }
    }
}
