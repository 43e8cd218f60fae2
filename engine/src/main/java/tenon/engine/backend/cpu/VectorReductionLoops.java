package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.L;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** {@link ReductionLoops} with the Vector API; the remainder that fills no vector is left to it. F32 and BF16 have loops of
 * their own: the compiler boxes the vectors of a loop that chooses between them. */
final class VectorReductionLoops extends ReductionLoops {
    private static final VectorSpecies<Double> DOUBLES = VectorSpecies.of(double.class, Lanes.FLOATS.vectorShape());

    @Override
    boolean isFinite(boolean bf16, MemorySegment in, long from, long to) {
        if (bf16) {
            return isFiniteBf16(in, from, to);
        } else {
            return isFiniteF32(in, from, to);
        }
    }

    private boolean isFiniteBf16(MemorySegment in, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            if (!Lanes.loadBf16(in, i).test(VectorOperators.IS_FINITE).allTrue()) {
                return false;
            }
        }
        return super.isFinite(true, in, bound, to);
    }

    private boolean isFiniteF32(MemorySegment in, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            if (!Lanes.load(in, i).test(VectorOperators.IS_FINITE).allTrue()) {
                return false;
            }
        }
        return super.isFinite(false, in, bound, to);
    }

    private static DoubleVector low(FloatVector x) {
        return (DoubleVector) x.convertShape(VectorOperators.F2D, DOUBLES, 0);
    }

    private static DoubleVector high(FloatVector x) {
        return (DoubleVector) x.convertShape(VectorOperators.F2D, DOUBLES, 1);
    }

    @Override
    double sum(boolean bf16, MemorySegment in, long from, long to) {
        if (bf16) {
            return sumBf16(in, from, to);
        } else {
            return sumF32(in, from, to);
        }
    }

    private double sumBf16(MemorySegment in, long from, long to) {
        long bound = Lanes.bound(from, to);
        DoubleVector a = DoubleVector.zero(DOUBLES);
        DoubleVector b = DoubleVector.zero(DOUBLES);
        for (long i = from; i < bound; i += L) {
            FloatVector x = Lanes.loadBf16(in, i);
            a = a.add(low(x));
            b = b.add(high(x));
        }
        // Lane by lane: the order of reduceLanes is not specified.
        DoubleVector both = a.add(b);
        double sum = 0;
        for (int lane = 0; lane < DOUBLES.length(); lane++) {
            sum += both.lane(lane);
        }
        return sum + super.sum(true, in, bound, to);
    }

    private double sumF32(MemorySegment in, long from, long to) {
        long bound = Lanes.bound(from, to);
        DoubleVector a = DoubleVector.zero(DOUBLES);
        DoubleVector b = DoubleVector.zero(DOUBLES);
        for (long i = from; i < bound; i += L) {
            FloatVector x = Lanes.load(in, i);
            a = a.add(low(x));
            b = b.add(high(x));
        }
        // Lane by lane: the order of reduceLanes is not specified.
        DoubleVector both = a.add(b);
        double sum = 0;
        for (int lane = 0; lane < DOUBLES.length(); lane++) {
            sum += both.lane(lane);
        }
        return sum + super.sum(false, in, bound, to);
    }

    @Override
    void columnSums(boolean bf16, MemorySegment in, int columns, long from, long to, double[] sums, int offset) {
        if (bf16) {
            columnSumsBf16(in, columns, from, to, sums, offset);
        } else {
            columnSumsF32(in, columns, from, to, sums, offset);
        }
    }

    private void columnSumsBf16(MemorySegment in, int columns, long from, long to, double[] sums, int offset) {
        int bound = (int) Lanes.bound(0, columns);
        int c = 0;
        for (; c + 2 * L <= bound; c += 2 * L) {
            pairSumsBf16(in, columns, c, from, to, sums, offset + c);
        }
        if (c < bound) {
            stripSumsBf16(in, columns, c, from, to, sums, offset + c);
        }
        columnSums(true, in, columns, bound, from, to, sums, offset);
    }

    private void columnSumsF32(MemorySegment in, int columns, long from, long to, double[] sums, int offset) {
        int bound = (int) Lanes.bound(0, columns);
        int c = 0;
        for (; c + 2 * L <= bound; c += 2 * L) {
            pairSumsF32(in, columns, c, from, to, sums, offset + c);
        }
        if (c < bound) {
            stripSumsF32(in, columns, c, from, to, sums, offset + c);
        }
        columnSums(false, in, columns, bound, from, to, sums, offset);
    }

    /** Two vectors of columns at a time, a whole pair of cache lines per row. A method of its own: the compiler boxes the vectors of larger ones. */
    private static void pairSumsBf16(
            MemorySegment in, int columns, int c, long from, long to, double[] sums, int index) {
        DoubleVector a = DoubleVector.zero(DOUBLES);
        DoubleVector b = DoubleVector.zero(DOUBLES);
        DoubleVector d = DoubleVector.zero(DOUBLES);
        DoubleVector e = DoubleVector.zero(DOUBLES);
        for (long r = from; r < to; r++) {
            FloatVector x = Lanes.loadBf16(in, r * columns + c);
            FloatVector y = Lanes.loadBf16(in, r * columns + c + L);
            a = a.add(low(x));
            b = b.add(high(x));
            d = d.add(low(y));
            e = e.add(high(y));
        }
        store(a, b, sums, index);
        store(d, e, sums, index + L);
    }

    private static void pairSumsF32(
            MemorySegment in, int columns, int c, long from, long to, double[] sums, int index) {
        DoubleVector a = DoubleVector.zero(DOUBLES);
        DoubleVector b = DoubleVector.zero(DOUBLES);
        DoubleVector d = DoubleVector.zero(DOUBLES);
        DoubleVector e = DoubleVector.zero(DOUBLES);
        for (long r = from; r < to; r++) {
            FloatVector x = Lanes.load(in, r * columns + c);
            FloatVector y = Lanes.load(in, r * columns + c + L);
            a = a.add(low(x));
            b = b.add(high(x));
            d = d.add(low(y));
            e = e.add(high(y));
        }
        store(a, b, sums, index);
        store(d, e, sums, index + L);
    }

    private static void stripSumsBf16(
            MemorySegment in, int columns, int c, long from, long to, double[] sums, int index) {
        DoubleVector a = DoubleVector.zero(DOUBLES);
        DoubleVector b = DoubleVector.zero(DOUBLES);
        for (long r = from; r < to; r++) {
            FloatVector x = Lanes.loadBf16(in, r * columns + c);
            a = a.add(low(x));
            b = b.add(high(x));
        }
        store(a, b, sums, index);
    }

    private static void stripSumsF32(
            MemorySegment in, int columns, int c, long from, long to, double[] sums, int index) {
        DoubleVector a = DoubleVector.zero(DOUBLES);
        DoubleVector b = DoubleVector.zero(DOUBLES);
        for (long r = from; r < to; r++) {
            FloatVector x = Lanes.load(in, r * columns + c);
            a = a.add(low(x));
            b = b.add(high(x));
        }
        store(a, b, sums, index);
    }

    private static void store(DoubleVector low, DoubleVector high, double[] sums, int index) {
        low.intoArray(sums, index);
        high.intoArray(sums, index + L / 2);
    }
}
