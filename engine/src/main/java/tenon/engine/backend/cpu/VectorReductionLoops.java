package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.L;
import static tenon.engine.backend.cpu.Lanes.load;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** {@link ReductionLoops} with the Vector API; the remainder that fills no vector is left to it. */
final class VectorReductionLoops extends ReductionLoops {
    private static final VectorSpecies<Double> DOUBLES = VectorSpecies.of(double.class, Lanes.FLOATS.vectorShape());

    @Override
    boolean isFinite(boolean bf16, MemorySegment in, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            if (!load(bf16, in, i).test(VectorOperators.IS_FINITE).allTrue()) {
                return false;
            }
        }
        return super.isFinite(bf16, in, bound, to);
    }

    private static DoubleVector low(FloatVector x) {
        return (DoubleVector) x.convertShape(VectorOperators.F2D, DOUBLES, 0);
    }

    private static DoubleVector high(FloatVector x) {
        return (DoubleVector) x.convertShape(VectorOperators.F2D, DOUBLES, 1);
    }

    @Override
    double sum(boolean bf16, MemorySegment in, long from, long to) {
        long bound = Lanes.bound(from, to);
        DoubleVector a = DoubleVector.zero(DOUBLES);
        DoubleVector b = DoubleVector.zero(DOUBLES);
        for (long i = from; i < bound; i += L) {
            FloatVector x = load(bf16, in, i);
            a = a.add(low(x));
            b = b.add(high(x));
        }
        // Lane by lane: the order of reduceLanes is not specified.
        DoubleVector both = a.add(b);
        double sum = 0;
        for (int lane = 0; lane < DOUBLES.length(); lane++) {
            sum += both.lane(lane);
        }
        return sum + super.sum(bf16, in, bound, to);
    }

    @Override
    void columnSums(boolean bf16, MemorySegment in, int columns, long from, long to, double[] sums, int offset) {
        int bound = (int) Lanes.bound(0, columns);
        int c = 0;
        for (; c + 2 * L <= bound; c += 2 * L) {
            pairSums(bf16, in, columns, c, from, to, sums, offset + c);
        }
        if (c < bound) {
            stripSums(bf16, in, columns, c, from, to, sums, offset + c);
        }
        columnSums(bf16, in, columns, bound, from, to, sums, offset);
    }

    /** Two vectors of columns at a time, a whole pair of cache lines per row. A method of its own: the compiler boxes the vectors of larger ones. */
    private static void pairSums(
            boolean bf16, MemorySegment in, int columns, int c, long from, long to, double[] sums, int index) {
        DoubleVector a = DoubleVector.zero(DOUBLES);
        DoubleVector b = DoubleVector.zero(DOUBLES);
        DoubleVector d = DoubleVector.zero(DOUBLES);
        DoubleVector e = DoubleVector.zero(DOUBLES);
        for (long r = from; r < to; r++) {
            FloatVector x = load(bf16, in, r * columns + c);
            FloatVector y = load(bf16, in, r * columns + c + L);
            a = a.add(low(x));
            b = b.add(high(x));
            d = d.add(low(y));
            e = e.add(high(y));
        }
        store(a, b, sums, index);
        store(d, e, sums, index + L);
    }

    private static void stripSums(
            boolean bf16, MemorySegment in, int columns, int c, long from, long to, double[] sums, int index) {
        DoubleVector a = DoubleVector.zero(DOUBLES);
        DoubleVector b = DoubleVector.zero(DOUBLES);
        for (long r = from; r < to; r++) {
            FloatVector x = load(bf16, in, r * columns + c);
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
