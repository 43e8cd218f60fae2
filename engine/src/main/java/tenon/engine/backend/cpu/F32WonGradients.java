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
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorOperators;

/** Gradients of F32 elements from the windows that they won, up to 3 x 3. Those of elements whose windows lie alike, one pixel apart, are one line. */
final class F32WonGradients {
    private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

    private F32WonGradients() {}

    /** Input row {@code row}, counted over all images. */
    static void row(PoolGeometry g, MemorySegment gradOut, MemorySegment winners, MemorySegment gradIn, long row) {
        for (int phase = 0; phase < Math.min(g.strideW(), g.w()); phase++) {
            for (int j = phase; j < g.w(); ) {
                int end = endOfAlike(g, j);
                alike(g, gradOut, winners, gradIn, row, j, end);
                j = end;
            }
        }
    }

    /** End of the elements from column {@code j} on, a stride apart, whose windows lie alike. */
    private static int endOfAlike(PoolGeometry g, int j) {
        int first = g.firstWindowColumn(j);
        int windows = g.endWindowColumn(j) - first;
        int end = j + g.strideW();
        while (end < g.w() && g.firstWindowColumn(end) == ++first && g.endWindowColumn(end) == first + windows) {
            end += g.strideW();
        }
        return end;
    }

    private static void alike(
            PoolGeometry g,
            MemorySegment gradOut,
            MemorySegment winners,
            MemorySegment gradIn,
            long row,
            int j,
            int end) {
        int i = (int) (row % g.h());
        HoldingWindows windows = HoldingWindows.of(g, i, j);
        int y = Math.min(g.firstWindowRow(i), g.p() - 1);
        int x = Math.min(g.firstWindowColumn(j), g.q() - 1);
        long from = g.output(row / g.h(), y, x);
        int step = g.strideW() == 1 ? end - j : g.strideW();
        int count = g.strideW() == 1 ? step * g.c() : g.c();
        for (int at = j; at < end; at += step, from += g.c()) {
            long to = gradIn.address() + 4 * (row * g.w() + at) * g.c();
            line(windows, gradOut.address() + 4 * from, winners.address() + from, to, count);
        }
    }

    private static void line(HoldingWindows windows, long gradOut, long winners, long gradIn, int count) {
        int rest = count % L;
        vectors(windows, gradOut, winners, gradIn, count - rest);
        if (rest > 0) {
            int last = count - L;
            vectors(windows, gradOut + 4L * last, winners + last, gradIn + 4L * last, L);
        }
    }

    private static void vectors(HoldingWindows windows, long gradOut, long winners, long gradIn, int count) {
        if (windows.isOne()) {
            take(windows.row0() + windows.column0(), gradOut, winners, gradIn, count);
        } else if (windows.areTwo()) {
            long next = windows.down1() + windows.right1();
            int p1 = windows.down1() > 0 ? windows.row1() + windows.column0() : windows.row0() + windows.column1();
            sum2(windows.row0() + windows.column0(), p1, next, gradOut, winners, gradIn, count);
        } else if (windows.areFour()) {
            sum4(windows, gradOut, winners, gradIn, count);
        } else {
            sum9(windows, gradOut, winners, gradIn, count);
        }
    }

    private static void take(int position, long gradOut, long winners, long gradIn, int count) {
        long from = gradOut & ADDRESS;
        long won = winners & ADDRESS;
        long to = gradIn & ADDRESS;
        for (int k = 0; k < count; k += L) {
            long index = Lanes.index(k);
            store(add(FloatVector.zero(FLOATS), from + 4 * index, won + index, position), to + 4 * index);
        }
    }

    private static void sum2(int p0, int p1, long next, long gradOut, long winners, long gradIn, int count) {
        long g0 = gradOut & ADDRESS;
        long g1 = (gradOut + 4 * next) & ADDRESS;
        long w0 = winners & ADDRESS;
        long w1 = (winners + next) & ADDRESS;
        long to = gradIn & ADDRESS;
        for (int k = 0; k < count; k += L) {
            long index = Lanes.index(k);
            long at = 4 * index;
            FloatVector sum = add(FloatVector.zero(FLOATS), g0 + at, w0 + index, p0);
            store(add(sum, g1 + at, w1 + index, p1), to + at);
        }
    }

    private static void sum4(HoldingWindows windows, long gradOut, long winners, long gradIn, int count) {
        long g0 = gradOut & ADDRESS;
        long g1 = (gradOut + 4 * windows.right1()) & ADDRESS;
        long g2 = (gradOut + 4 * windows.down1()) & ADDRESS;
        long g3 = (gradOut + 4 * windows.down1() + 4 * windows.right1()) & ADDRESS;
        long w0 = winners & ADDRESS;
        long w1 = (winners + windows.right1()) & ADDRESS;
        long w2 = (winners + windows.down1()) & ADDRESS;
        long w3 = (winners + windows.down1() + windows.right1()) & ADDRESS;
        int p0 = windows.row0() + windows.column0();
        int p1 = windows.row0() + windows.column1();
        int p2 = windows.row1() + windows.column0();
        int p3 = windows.row1() + windows.column1();
        long to = gradIn & ADDRESS;
        for (int k = 0; k < count; k += L) {
            long index = Lanes.index(k);
            long at = 4 * index;
            FloatVector sum = add(FloatVector.zero(FLOATS), g0 + at, w0 + index, p0);
            sum = add(sum, g1 + at, w1 + index, p1);
            sum = add(sum, g2 + at, w2 + index, p2);
            store(add(sum, g3 + at, w3 + index, p3), to + at);
        }
    }

    /** Adds the gradient to {@code sum} where the winner is {@code position}. */
    private static FloatVector add(FloatVector sum, long gradient, long winner, int position) {
        ByteVector bytes = ByteVector.fromMemorySegment(BYTES, MEMORY, winner, NATIVE);
        IntVector wide = (IntVector) bytes.convertShape(VectorOperators.B2I, INTS, 0);
        return sum.add(
                load(gradient), wide.compare(VectorOperators.EQ, position).cast(FLOATS));
    }

    /** What is called in a loop as long as this one is inlined only if it is the Vector API's. */
    private static void sum9(HoldingWindows windows, long gradOut, long winners, long gradIn, int count) {
        long g0 = gradOut & ADDRESS;
        long g1 = (gradOut + 4 * windows.right1()) & ADDRESS;
        long g2 = (gradOut + 4 * windows.right2()) & ADDRESS;
        long g3 = (gradOut + 4 * windows.down1()) & ADDRESS;
        long g4 = (gradOut + 4 * windows.down1() + 4 * windows.right1()) & ADDRESS;
        long g5 = (gradOut + 4 * windows.down1() + 4 * windows.right2()) & ADDRESS;
        long g6 = (gradOut + 4 * windows.down2()) & ADDRESS;
        long g7 = (gradOut + 4 * windows.down2() + 4 * windows.right1()) & ADDRESS;
        long g8 = (gradOut + 4 * windows.down2() + 4 * windows.right2()) & ADDRESS;
        long w0 = winners & ADDRESS;
        long w1 = (winners + windows.right1()) & ADDRESS;
        long w2 = (winners + windows.right2()) & ADDRESS;
        long w3 = (winners + windows.down1()) & ADDRESS;
        long w4 = (winners + windows.down1() + windows.right1()) & ADDRESS;
        long w5 = (winners + windows.down1() + windows.right2()) & ADDRESS;
        long w6 = (winners + windows.down2()) & ADDRESS;
        long w7 = (winners + windows.down2() + windows.right1()) & ADDRESS;
        long w8 = (winners + windows.down2() + windows.right2()) & ADDRESS;
        int p0 = windows.row0() + windows.column0();
        int p1 = windows.row0() + windows.column1();
        int p2 = windows.row0() + windows.column2();
        int p3 = windows.row1() + windows.column0();
        int p4 = windows.row1() + windows.column1();
        int p5 = windows.row1() + windows.column2();
        int p6 = windows.row2() + windows.column0();
        int p7 = windows.row2() + windows.column1();
        int p8 = windows.row2() + windows.column2();
        long to = gradIn & ADDRESS;
        for (int k = 0; k < count; k += L) {
            long index = Lanes.index(k);
            long at = 4 * index;
            FloatVector sum = FloatVector.zero(FLOATS);
            Vector<Integer> winner0 = ByteVector.fromMemorySegment(BYTES, MEMORY, w0 + index, NATIVE)
                    .convertShape(VectorOperators.B2I, INTS, 0);
            sum = sum.add(
                    FloatVector.fromMemorySegment(FLOATS, MEMORY, g0 + at, NATIVE),
                    ((IntVector) winner0).compare(VectorOperators.EQ, p0).cast(FLOATS));
            Vector<Integer> winner1 = ByteVector.fromMemorySegment(BYTES, MEMORY, w1 + index, NATIVE)
                    .convertShape(VectorOperators.B2I, INTS, 0);
            sum = sum.add(
                    FloatVector.fromMemorySegment(FLOATS, MEMORY, g1 + at, NATIVE),
                    ((IntVector) winner1).compare(VectorOperators.EQ, p1).cast(FLOATS));
            Vector<Integer> winner2 = ByteVector.fromMemorySegment(BYTES, MEMORY, w2 + index, NATIVE)
                    .convertShape(VectorOperators.B2I, INTS, 0);
            sum = sum.add(
                    FloatVector.fromMemorySegment(FLOATS, MEMORY, g2 + at, NATIVE),
                    ((IntVector) winner2).compare(VectorOperators.EQ, p2).cast(FLOATS));
            Vector<Integer> winner3 = ByteVector.fromMemorySegment(BYTES, MEMORY, w3 + index, NATIVE)
                    .convertShape(VectorOperators.B2I, INTS, 0);
            sum = sum.add(
                    FloatVector.fromMemorySegment(FLOATS, MEMORY, g3 + at, NATIVE),
                    ((IntVector) winner3).compare(VectorOperators.EQ, p3).cast(FLOATS));
            Vector<Integer> winner4 = ByteVector.fromMemorySegment(BYTES, MEMORY, w4 + index, NATIVE)
                    .convertShape(VectorOperators.B2I, INTS, 0);
            sum = sum.add(
                    FloatVector.fromMemorySegment(FLOATS, MEMORY, g4 + at, NATIVE),
                    ((IntVector) winner4).compare(VectorOperators.EQ, p4).cast(FLOATS));
            Vector<Integer> winner5 = ByteVector.fromMemorySegment(BYTES, MEMORY, w5 + index, NATIVE)
                    .convertShape(VectorOperators.B2I, INTS, 0);
            sum = sum.add(
                    FloatVector.fromMemorySegment(FLOATS, MEMORY, g5 + at, NATIVE),
                    ((IntVector) winner5).compare(VectorOperators.EQ, p5).cast(FLOATS));
            Vector<Integer> winner6 = ByteVector.fromMemorySegment(BYTES, MEMORY, w6 + index, NATIVE)
                    .convertShape(VectorOperators.B2I, INTS, 0);
            sum = sum.add(
                    FloatVector.fromMemorySegment(FLOATS, MEMORY, g6 + at, NATIVE),
                    ((IntVector) winner6).compare(VectorOperators.EQ, p6).cast(FLOATS));
            Vector<Integer> winner7 = ByteVector.fromMemorySegment(BYTES, MEMORY, w7 + index, NATIVE)
                    .convertShape(VectorOperators.B2I, INTS, 0);
            sum = sum.add(
                    FloatVector.fromMemorySegment(FLOATS, MEMORY, g7 + at, NATIVE),
                    ((IntVector) winner7).compare(VectorOperators.EQ, p7).cast(FLOATS));
            Vector<Integer> winner8 = ByteVector.fromMemorySegment(BYTES, MEMORY, w8 + index, NATIVE)
                    .convertShape(VectorOperators.B2I, INTS, 0);
            sum = sum.add(
                    FloatVector.fromMemorySegment(FLOATS, MEMORY, g8 + at, NATIVE),
                    ((IntVector) winner8).compare(VectorOperators.EQ, p8).cast(FLOATS));
            sum.intoMemorySegment(MEMORY, to + at, NATIVE);
        }
    }
}
