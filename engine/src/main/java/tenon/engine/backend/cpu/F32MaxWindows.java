package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.ADDRESS;
import static tenon.engine.backend.cpu.Lanes.BYTES;
import static tenon.engine.backend.cpu.Lanes.FLOATS;
import static tenon.engine.backend.cpu.Lanes.INTS;
import static tenon.engine.backend.cpu.Lanes.L;
import static tenon.engine.backend.cpu.Lanes.MEMORY;
import static tenon.engine.backend.cpu.Lanes.load;
import static tenon.engine.backend.cpu.Lanes.store;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Maxima of F32 windows of up to 3 x 3 elements, without regard to NaN. Those of windows that are clipped alike and lie one pixel apart are one line. */
final class F32MaxWindows {
    private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

    private F32MaxWindows() {}

    /** Whether windows, and the gradients of what they hold, can be computed so. */
    static boolean fits(PoolGeometry g) {
        return BYTES != null && g.kernelH() <= 3 && g.kernelW() <= 3 && g.c() >= L;
    }

    /**
     * Output row {@code row}, counted over all images.
     *
     * @param winners out, or null
     * @return whether the row is right, for sure without NaN
     */
    static boolean row(PoolGeometry g, MemorySegment in, MemorySegment out, MemorySegment winners, long row) {
        long n = row / g.p();
        int y = (int) (row % g.p());
        float check = 0;
        for (int x = 0; x < g.q(); ) {
            int end = endOfAlike(g, x);
            MaxWindow window = MaxWindow.of(g, y, x);
            int pixels = g.strideW() == 1 ? end - x : 1;
            for (; x < end; x += pixels) {
                long from = in.address() + 4 * g.input(n, y, x, g.firstRow(y), g.firstColumn(x));
                long to = (row * g.q() + x) * g.c();
                check += line(
                        window,
                        from,
                        out.address() + 4 * to,
                        winners == null ? 0 : winners.address() + to,
                        pixels * g.c());
            }
        }
        return check == check;
    }

    /** End of the pixels from {@code x} on whose windows are clipped alike. */
    private static int endOfAlike(PoolGeometry g, int x) {
        int end = x + 1;
        while (end < g.q() && g.firstColumn(end) == g.firstColumn(x) && g.endColumn(end) == g.endColumn(x)) {
            end++;
        }
        return end;
    }

    /** A sum of all elements of the windows, which is NaN if one of them is. */
    private static float line(MaxWindow window, long in, long out, long winners, int count) {
        int rest = count % L;
        float check = vectors(window, in, out, winners, count - rest);
        if (rest > 0) {
            int last = count - L;
            check += vectors(window, in + 4L * last, out + 4L * last, winners == 0 ? 0 : winners + last, L);
        }
        return check;
    }

    private static float vectors(MaxWindow window, long in, long out, long winners, int count) {
        return winners == 0 ? maxima(window, in, out, count) : maxima(window, in, out, winners, count);
    }

    private static float maxima(MaxWindow window, long in, long out, int count) {
        long a0 = in & ADDRESS;
        long a1 = (in + 4 * window.right1()) & ADDRESS;
        long a2 = (in + 4 * window.right2()) & ADDRESS;
        long a3 = (in + 4 * window.down1()) & ADDRESS;
        long a4 = (in + 4 * window.down1() + 4 * window.right1()) & ADDRESS;
        long a5 = (in + 4 * window.down1() + 4 * window.right2()) & ADDRESS;
        long a6 = (in + 4 * window.down2()) & ADDRESS;
        long a7 = (in + 4 * window.down2() + 4 * window.right1()) & ADDRESS;
        long a8 = (in + 4 * window.down2() + 4 * window.right2()) & ADDRESS;
        long to = out & ADDRESS;
        FloatVector check = FloatVector.zero(FLOATS);
        for (int k = 0; k < count; k += L) {
            long at = 4L * Lanes.index(k);
            FloatVector v0 = load(a0 + at);
            FloatVector v1 = load(a1 + at);
            FloatVector v2 = load(a2 + at);
            FloatVector v3 = load(a3 + at);
            FloatVector v4 = load(a4 + at);
            FloatVector v5 = load(a5 + at);
            FloatVector v6 = load(a6 + at);
            FloatVector v7 = load(a7 + at);
            FloatVector v8 = load(a8 + at);
            FloatVector best = v0;
            best = best.blend(v1, v1.compare(VectorOperators.GT, best));
            best = best.blend(v2, v2.compare(VectorOperators.GT, best));
            best = best.blend(v3, v3.compare(VectorOperators.GT, best));
            best = best.blend(v4, v4.compare(VectorOperators.GT, best));
            best = best.blend(v5, v5.compare(VectorOperators.GT, best));
            best = best.blend(v6, v6.compare(VectorOperators.GT, best));
            best = best.blend(v7, v7.compare(VectorOperators.GT, best));
            best = best.blend(v8, v8.compare(VectorOperators.GT, best));
            check = check.add(
                    v0.add(v1).add(v2).add(v3.add(v4).add(v5)).add(v6.add(v7).add(v8)));
            store(best, to + at);
        }
        return check.reduceLanes(VectorOperators.ADD);
    }

    /** What is called late in a loop as long as this one is inlined only if it is the Vector API's. */
    private static float maxima(MaxWindow window, long in, long out, long winners, int count) {
        long a0 = in & ADDRESS;
        long a1 = (in + 4 * window.right1()) & ADDRESS;
        long a2 = (in + 4 * window.right2()) & ADDRESS;
        long a3 = (in + 4 * window.down1()) & ADDRESS;
        long a4 = (in + 4 * window.down1() + 4 * window.right1()) & ADDRESS;
        long a5 = (in + 4 * window.down1() + 4 * window.right2()) & ADDRESS;
        long a6 = (in + 4 * window.down2()) & ADDRESS;
        long a7 = (in + 4 * window.down2() + 4 * window.right1()) & ADDRESS;
        long a8 = (in + 4 * window.down2() + 4 * window.right2()) & ADDRESS;
        long won = winners & ADDRESS;
        long to = out & ADDRESS;
        int p0 = window.row0() + window.column0();
        int p1 = window.row0() + window.column1();
        int p2 = window.row0() + window.column2();
        int p3 = window.row1() + window.column0();
        int p4 = window.row1() + window.column1();
        int p5 = window.row1() + window.column2();
        int p6 = window.row2() + window.column0();
        int p7 = window.row2() + window.column1();
        int p8 = window.row2() + window.column2();
        FloatVector check = FloatVector.zero(FLOATS);
        for (int k = 0; k < count; k += L) {
            long index = Lanes.index(k);
            long at = 4 * index;
            FloatVector v0 = load(a0 + at);
            FloatVector v1 = load(a1 + at);
            FloatVector v2 = load(a2 + at);
            FloatVector v3 = load(a3 + at);
            FloatVector v4 = load(a4 + at);
            FloatVector v5 = load(a5 + at);
            FloatVector v6 = load(a6 + at);
            FloatVector v7 = load(a7 + at);
            FloatVector v8 = load(a8 + at);
            FloatVector best = v0;
            IntVector winner = IntVector.broadcast(INTS, p0);
            VectorMask<Float> wins = v1.compare(VectorOperators.GT, best);
            best = best.blend(v1, wins);
            winner = winner.blend(p1, wins.cast(INTS));
            wins = v2.compare(VectorOperators.GT, best);
            best = best.blend(v2, wins);
            winner = winner.blend(p2, wins.cast(INTS));
            wins = v3.compare(VectorOperators.GT, best);
            best = best.blend(v3, wins);
            winner = winner.blend(p3, wins.cast(INTS));
            wins = v4.compare(VectorOperators.GT, best);
            best = best.blend(v4, wins);
            winner = winner.blend(p4, wins.cast(INTS));
            wins = v5.compare(VectorOperators.GT, best);
            best = best.blend(v5, wins);
            winner = winner.blend(p5, wins.cast(INTS));
            wins = v6.compare(VectorOperators.GT, best);
            best = best.blend(v6, wins);
            winner = winner.blend(p6, wins.cast(INTS));
            wins = v7.compare(VectorOperators.GT, best);
            best = best.blend(v7, wins);
            winner = winner.blend(p7, wins.cast(INTS));
            wins = v8.compare(VectorOperators.GT, best);
            best = best.blend(v8, wins);
            winner = winner.blend(p8, wins.cast(INTS));
            check = check.add(
                    v0.add(v1).add(v2).add(v3.add(v4).add(v5)).add(v6.add(v7).add(v8)));
            best.intoMemorySegment(MEMORY, to + at, NATIVE);
            ((ByteVector) winner.convertShape(VectorOperators.I2B, BYTES, 0))
                    .intoMemorySegment(MEMORY, won + index, NATIVE);
        }
        return check.reduceLanes(VectorOperators.ADD);
    }
}
