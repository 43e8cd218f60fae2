package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.FLOATS;
import static tenon.engine.backend.cpu.Lanes.L;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/** {@link ArithmeticLoops} with the Vector API; the remainder that fills no vector is left to it. F32 and BF16 have loops of
 * their own: the compiler boxes the vectors of a loop that chooses between them. */
final class VectorArithmeticLoops extends ArithmeticLoops {
    @Override
    void add(boolean bf16, MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        if (bf16) {
            addBf16(a, b, out, from, to);
        } else {
            addF32(a, b, out, from, to);
        }
    }

    private void addBf16(MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            Lanes.storeBf16(Lanes.loadBf16(a, i).add(Lanes.loadBf16(b, i)), out, i);
        }
        super.add(true, a, b, out, bound, to);
    }

    private void addF32(MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            Lanes.store(Lanes.load(a, i).add(Lanes.load(b, i)), out, i);
        }
        super.add(false, a, b, out, bound, to);
    }

    @Override
    void multiply(boolean bf16, MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        if (bf16) {
            multiplyBf16(a, b, out, from, to);
        } else {
            multiplyF32(a, b, out, from, to);
        }
    }

    private void multiplyBf16(MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            Lanes.storeBf16(Lanes.loadBf16(a, i).mul(Lanes.loadBf16(b, i)), out, i);
        }
        super.multiply(true, a, b, out, bound, to);
    }

    private void multiplyF32(MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            Lanes.store(Lanes.load(a, i).mul(Lanes.load(b, i)), out, i);
        }
        super.multiply(false, a, b, out, bound, to);
    }

    @Override
    void scale(boolean bf16, MemorySegment in, float factor, MemorySegment out, long from, long to) {
        if (bf16) {
            scaleBf16(in, factor, out, from, to);
        } else {
            scaleF32(in, factor, out, from, to);
        }
    }

    private void scaleBf16(MemorySegment in, float factor, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            Lanes.storeBf16(Lanes.loadBf16(in, i).mul(factor), out, i);
        }
        super.scale(true, in, factor, out, bound, to);
    }

    private void scaleF32(MemorySegment in, float factor, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            Lanes.store(Lanes.load(in, i).mul(factor), out, i);
        }
        super.scale(false, in, factor, out, bound, to);
    }

    @Override
    void shift(boolean bf16, MemorySegment in, float shift, MemorySegment out, long from, long to) {
        if (bf16) {
            shiftBf16(in, shift, out, from, to);
        } else {
            shiftF32(in, shift, out, from, to);
        }
    }

    private void shiftBf16(MemorySegment in, float shift, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            Lanes.storeBf16(Lanes.loadBf16(in, i).add(shift), out, i);
        }
        super.shift(true, in, shift, out, bound, to);
    }

    private void shiftF32(MemorySegment in, float shift, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            Lanes.store(Lanes.load(in, i).add(shift), out, i);
        }
        super.shift(false, in, shift, out, bound, to);
    }

    @Override
    void addRows(
            boolean bf16, MemorySegment a, MemorySegment row, MemorySegment out, long columns, long from, long to) {
        if (bf16) {
            addRowsBf16(a, row, out, columns, from, to);
        } else {
            addRowsF32(a, row, out, columns, from, to);
        }
    }

    private void addRowsBf16(MemorySegment a, MemorySegment row, MemorySegment out, long columns, long from, long to) {
        long bound = Lanes.bound(0, columns);
        for (long r = from; r < to; r++) {
            long start = r * columns;
            for (long c = 0; c < bound; c += L) {
                Lanes.storeBf16(Lanes.loadBf16(a, start + c).add(Lanes.loadBf16(row, c)), out, start + c);
            }
            addRow(true, a, row, out, start, bound, columns);
        }
    }

    private void addRowsF32(MemorySegment a, MemorySegment row, MemorySegment out, long columns, long from, long to) {
        long bound = Lanes.bound(0, columns);
        for (long r = from; r < to; r++) {
            long start = r * columns;
            for (long c = 0; c < bound; c += L) {
                Lanes.store(Lanes.load(a, start + c).add(Lanes.load(row, c)), out, start + c);
            }
            addRow(false, a, row, out, start, bound, columns);
        }
    }

    @Override
    void multiplyRows(
            boolean bf16, MemorySegment a, MemorySegment row, MemorySegment out, long columns, long from, long to) {
        if (bf16) {
            multiplyRowsBf16(a, row, out, columns, from, to);
        } else {
            multiplyRowsF32(a, row, out, columns, from, to);
        }
    }

    private void multiplyRowsBf16(
            MemorySegment a, MemorySegment row, MemorySegment out, long columns, long from, long to) {
        long bound = Lanes.bound(0, columns);
        for (long r = from; r < to; r++) {
            long start = r * columns;
            for (long c = 0; c < bound; c += L) {
                Lanes.storeBf16(Lanes.loadBf16(a, start + c).mul(Lanes.loadBf16(row, c)), out, start + c);
            }
            multiplyRow(true, a, row, out, start, bound, columns);
        }
    }

    private void multiplyRowsF32(
            MemorySegment a, MemorySegment row, MemorySegment out, long columns, long from, long to) {
        long bound = Lanes.bound(0, columns);
        for (long r = from; r < to; r++) {
            long start = r * columns;
            for (long c = 0; c < bound; c += L) {
                Lanes.store(Lanes.load(a, start + c).mul(Lanes.load(row, c)), out, start + c);
            }
            multiplyRow(false, a, row, out, start, bound, columns);
        }
    }

    @Override
    void fill(boolean bf16, MemorySegment out, float value, long from, long to) {
        if (bf16) {
            fillBf16(out, value, from, to);
        } else {
            fillF32(out, value, from, to);
        }
    }

    private void fillBf16(MemorySegment out, float value, long from, long to) {
        long bound = Lanes.bound(from, to);
        FloatVector values = FloatVector.broadcast(FLOATS, value);
        for (long i = from; i < bound; i += L) {
            Lanes.storeBf16(values, out, i);
        }
        super.fill(true, out, value, bound, to);
    }

    private void fillF32(MemorySegment out, float value, long from, long to) {
        long bound = Lanes.bound(from, to);
        FloatVector values = FloatVector.broadcast(FLOATS, value);
        for (long i = from; i < bound; i += L) {
            Lanes.store(values, out, i);
        }
        super.fill(false, out, value, bound, to);
    }
}
