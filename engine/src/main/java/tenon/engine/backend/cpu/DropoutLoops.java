package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import tenon.engine.Philox;

/** Dropout of BF16 or F32 memory. Plain loops; {@link VectorDropoutLoops} gives the same bits. */
class DropoutLoops {
    static DropoutLoops best() {
        return VectorApi.isUsed() ? new VectorDropoutLoops() : new DropoutLoops();
    }

    /**
     * out = 0 where draw i of the sequence is below the threshold, else factor·in; out may be in.
     *
     * @param threshold of the upper 24 bits of a draw
     * @param from a multiple of 4, where a Philox block starts
     */
    void dropout(
            boolean bf16,
            MemorySegment in,
            MemorySegment out,
            int threshold,
            float factor,
            long seed,
            int step,
            int stream,
            long from,
            long to) {
        int[] block = new int[4];
        long i = from;
        while (i < to) {
            long number = i >>> 2;
            Philox.block(seed, (int) number, (int) (number >>> 32), step, stream, block);
            long end = Math.min(to, (number + 1) << 2);
            for (; i < end; i++) {
                boolean dropped = (block[(int) (i & 3)] >>> 8) < threshold;
                Floats.set(bf16, out, i, dropped ? 0 : Floats.get(bf16, in, i) * factor);
            }
        }
    }
}
