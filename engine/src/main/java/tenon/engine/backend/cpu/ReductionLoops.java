package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;

/**
 * Sums over native memory in F32 or BF16, accumulated in F64. Plain loops; {@link VectorReductionLoops} adds in another order.
 */
class ReductionLoops {
    static ReductionLoops best() {
        return VectorApi.isUsed() ? new VectorReductionLoops() : new ReductionLoops();
    }

    /** Whether no element of [from, to) is NaN or infinite. */
    boolean isFinite(boolean bf16, MemorySegment in, long from, long to) {
        for (long i = from; i < to; i++) {
            if (!Float.isFinite(Floats.get(bf16, in, i))) {
                return false;
            }
        }
        return true;
    }

    /** Sum of the elements [from, to). */
    double sum(boolean bf16, MemorySegment in, long from, long to) {
        double sum = 0;
        for (long i = from; i < to; i++) {
            sum += Floats.get(bf16, in, i);
        }
        return sum;
    }

    /** sums[offset + c] = sum over rows [from, to) of in[r, c]. */
    void columnSums(boolean bf16, MemorySegment in, int columns, long from, long to, double[] sums, int offset) {
        columnSums(bf16, in, columns, 0, from, to, sums, offset);
    }

    /** As the method above, for columns from {@code first} on. */
    final void columnSums(
            boolean bf16, MemorySegment in, int columns, int first, long from, long to, double[] sums, int offset) {
        for (int c = first; c < columns; c++) {
            sums[offset + c] = 0;
        }
        for (long r = from; r < to; r++) {
            for (int c = first; c < columns; c++) {
                sums[offset + c] += Floats.get(bf16, in, r * columns + c);
            }
        }
    }
}
