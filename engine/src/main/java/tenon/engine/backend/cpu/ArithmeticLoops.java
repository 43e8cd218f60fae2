package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;

/**
 * Sums and products over native memory, each on the elements (or rows) [from, to) so that threads can share the work. All operands are BF16 or all are F32;
 * the arithmetic is in F32. These plain loops define the results, and {@link VectorArithmeticLoops} gives the same bits.
 */
class ArithmeticLoops {
    static ArithmeticLoops best() {
        return VectorApi.isUsed() ? new VectorArithmeticLoops() : new ArithmeticLoops();
    }

    /** out = a + b; out may be a or b. */
    void add(boolean bf16, MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            Floats.set(bf16, out, i, Floats.get(bf16, a, i) + Floats.get(bf16, b, i));
        }
    }

    /** out = a·b. */
    void multiply(boolean bf16, MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            Floats.set(bf16, out, i, Floats.get(bf16, a, i) * Floats.get(bf16, b, i));
        }
    }

    /** out = factor·in; out may be in. */
    void scale(boolean bf16, MemorySegment in, float factor, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            Floats.set(bf16, out, i, Floats.get(bf16, in, i) * factor);
        }
    }

    /** out = in + shift; out may be in. */
    void shift(boolean bf16, MemorySegment in, float shift, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            Floats.set(bf16, out, i, Floats.get(bf16, in, i) + shift);
        }
    }

    /** out[r, c] = a[r, c] + row[c] for rows [from, to). */
    void addRows(
            boolean bf16, MemorySegment a, MemorySegment row, MemorySegment out, long columns, long from, long to) {
        for (long r = from; r < to; r++) {
            addRow(bf16, a, row, out, r * columns, 0, columns);
        }
    }

    /** Columns [from, to) of the row that begins at {@code start}. */
    final void addRow(
            boolean bf16, MemorySegment a, MemorySegment row, MemorySegment out, long start, long from, long to) {
        for (long c = from; c < to; c++) {
            Floats.set(bf16, out, start + c, Floats.get(bf16, a, start + c) + Floats.get(bf16, row, c));
        }
    }

    /** out[r, c] = a[r, c]·row[c] for rows [from, to). */
    void multiplyRows(
            boolean bf16, MemorySegment a, MemorySegment row, MemorySegment out, long columns, long from, long to) {
        for (long r = from; r < to; r++) {
            multiplyRow(bf16, a, row, out, r * columns, 0, columns);
        }
    }

    final void multiplyRow(
            boolean bf16, MemorySegment a, MemorySegment row, MemorySegment out, long start, long from, long to) {
        for (long c = from; c < to; c++) {
            Floats.set(bf16, out, start + c, Floats.get(bf16, a, start + c) * Floats.get(bf16, row, c));
        }
    }

    void fill(boolean bf16, MemorySegment out, float value, long from, long to) {
        for (long i = from; i < to; i++) {
            Floats.set(bf16, out, i, value);
        }
    }
}
