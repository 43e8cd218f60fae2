package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.FLOATS;
import static tenon.engine.backend.cpu.Lanes.L;
import static tenon.engine.backend.cpu.Lanes.load;
import static tenon.engine.backend.cpu.Lanes.store;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/** {@link ArithmeticLoops} with the Vector API; the remainder that fills no vector is left to it. */
final class VectorArithmeticLoops extends ArithmeticLoops {
    @Override
    void add(boolean bf16, MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            store(bf16, load(bf16, a, i).add(load(bf16, b, i)), out, i);
        }
        super.add(bf16, a, b, out, bound, to);
    }

    @Override
    void multiply(boolean bf16, MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            store(bf16, load(bf16, a, i).mul(load(bf16, b, i)), out, i);
        }
        super.multiply(bf16, a, b, out, bound, to);
    }

    @Override
    void scale(boolean bf16, MemorySegment in, float factor, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            store(bf16, load(bf16, in, i).mul(factor), out, i);
        }
        super.scale(bf16, in, factor, out, bound, to);
    }

    @Override
    void shift(boolean bf16, MemorySegment in, float shift, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            store(bf16, load(bf16, in, i).add(shift), out, i);
        }
        super.shift(bf16, in, shift, out, bound, to);
    }

    @Override
    void addRows(
            boolean bf16, MemorySegment a, MemorySegment row, MemorySegment out, long columns, long from, long to) {
        long bound = Lanes.bound(0, columns);
        for (long r = from; r < to; r++) {
            long start = r * columns;
            for (long c = 0; c < bound; c += L) {
                store(bf16, load(bf16, a, start + c).add(load(bf16, row, c)), out, start + c);
            }
            addRow(bf16, a, row, out, start, bound, columns);
        }
    }

    @Override
    void multiplyRows(
            boolean bf16, MemorySegment a, MemorySegment row, MemorySegment out, long columns, long from, long to) {
        long bound = Lanes.bound(0, columns);
        for (long r = from; r < to; r++) {
            long start = r * columns;
            for (long c = 0; c < bound; c += L) {
                store(bf16, load(bf16, a, start + c).mul(load(bf16, row, c)), out, start + c);
            }
            multiplyRow(bf16, a, row, out, start, bound, columns);
        }
    }

    @Override
    void fill(boolean bf16, MemorySegment out, float value, long from, long to) {
        long bound = Lanes.bound(from, to);
        FloatVector values = FloatVector.broadcast(FLOATS, value);
        for (long i = from; i < bound; i += L) {
            store(bf16, values, out, i);
        }
        super.fill(bf16, out, value, bound, to);
    }
}
