package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.BYTES;
import static tenon.engine.backend.cpu.Lanes.FLOATS;
import static tenon.engine.backend.cpu.Lanes.INTS;
import static tenon.engine.backend.cpu.Lanes.L;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * {@link MaxPoolLoops} with the Vector API, over the channels; the remainder that fills no vector is left to it. F32 and BF16 have loops of their own: the
 * compiler boxes the vectors of a loop that chooses between them. Small windows of F32 are left to {@link F32MaxWindows}, unless there may be a NaN,
 * and to {@link F32WonGradients}.
 */
final class VectorMaxPoolLoops extends MaxPoolLoops {
    private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

    /** End of the channels that whole vectors cover. Bytes need a quarter of a vector, which 128-bit machines lack; positions beyond a byte are rare. */
    private static int bound(PoolGeometry g) {
        return BYTES == null || !g.fitsByte() ? 0 : FLOATS.loopBound(g.c());
    }

    @Override
    void forward(
            boolean bf16,
            PoolGeometry g,
            MemorySegment in,
            MemorySegment out,
            MemorySegment winners,
            long from,
            long to) {
        if (bf16) {
            forwardBf16(g, in, out, winners, from, to);
        } else {
            for (long row = from; row < to; row++) {
                if (!F32MaxWindows.fits(g) || !F32MaxWindows.row(g, in, out, winners, row)) {
                    forwardF32(g, in, out, winners, row, row + 1);
                }
            }
        }
    }

    private void forwardBf16(
            PoolGeometry g, MemorySegment in, MemorySegment out, MemorySegment winners, long from, long to) {
        int bound = bound(g);
        for (long row = from; row < to; row++) {
            long n = row / g.p();
            int y = (int) (row % g.p());
            int firstRow = g.firstRow(y);
            int rows = g.endRow(y) - firstRow;
            for (int x = 0; x < g.q(); x++) {
                int firstColumn = g.firstColumn(x);
                int columns = g.endColumn(x) - firstColumn;
                long start = g.input(n, y, x, firstRow, firstColumn);
                long at = (row * g.q() + x) * g.c();
                int position = firstRow * g.kernelW() + firstColumn;
                for (int c = 0; c < bound; c += L) {
                    windowBf16(g, in, out, winners, start + c, rows, columns, position, at + c);
                }
            }
        }
        forward(true, g, in, out, winners, bound, from, to);
    }

    private void forwardF32(
            PoolGeometry g, MemorySegment in, MemorySegment out, MemorySegment winners, long from, long to) {
        int bound = bound(g);
        for (long row = from; row < to; row++) {
            long n = row / g.p();
            int y = (int) (row % g.p());
            int firstRow = g.firstRow(y);
            int rows = g.endRow(y) - firstRow;
            for (int x = 0; x < g.q(); x++) {
                int firstColumn = g.firstColumn(x);
                int columns = g.endColumn(x) - firstColumn;
                long start = g.input(n, y, x, firstRow, firstColumn);
                long at = (row * g.q() + x) * g.c();
                int position = firstRow * g.kernelW() + firstColumn;
                for (int c = 0; c < bound; c += L) {
                    windowF32(g, in, out, winners, start + c, rows, columns, position, at + c);
                }
            }
        }
        forward(false, g, in, out, winners, bound, from, to);
    }

    /** @param first position of the window's first element in the image */
    private static void windowBf16(
            PoolGeometry g,
            MemorySegment in,
            MemorySegment out,
            MemorySegment winners,
            long start,
            int rows,
            int columns,
            int first,
            long at) {
        FloatVector best = Lanes.loadBf16(in, start);
        IntVector winner = IntVector.broadcast(INTS, first);
        for (int i = 0; i < rows; i++) {
            long line = start + (long) i * g.w() * g.c();
            int position = first + i * g.kernelW();
            for (int j = 0; j < columns; j++) {
                FloatVector value = Lanes.loadBf16(in, line + (long) j * g.c());
                // Larger or NaN, unless the best is NaN already.
                VectorMask<Float> wins =
                        value.compare(VectorOperators.LE, best).not().and(best.compare(VectorOperators.EQ, best));
                best = best.blend(value, wins);
                winner = winner.blend(position + j, wins.cast(INTS));
            }
        }
        Lanes.storeBf16(best, out, at);
        if (winners != null) {
            ((ByteVector) winner.convertShape(VectorOperators.I2B, BYTES, 0)).intoMemorySegment(winners, at, NATIVE);
        }
    }

    private static void windowF32(
            PoolGeometry g,
            MemorySegment in,
            MemorySegment out,
            MemorySegment winners,
            long start,
            int rows,
            int columns,
            int first,
            long at) {
        FloatVector best = Lanes.load(in, start);
        IntVector winner = IntVector.broadcast(INTS, first);
        for (int i = 0; i < rows; i++) {
            long line = start + (long) i * g.w() * g.c();
            int position = first + i * g.kernelW();
            for (int j = 0; j < columns; j++) {
                FloatVector value = Lanes.load(in, line + (long) j * g.c());
                // Larger or NaN, unless the best is NaN already.
                VectorMask<Float> wins =
                        value.compare(VectorOperators.LE, best).not().and(best.compare(VectorOperators.EQ, best));
                best = best.blend(value, wins);
                winner = winner.blend(position + j, wins.cast(INTS));
            }
        }
        Lanes.store(best, out, at);
        if (winners != null) {
            ((ByteVector) winner.convertShape(VectorOperators.I2B, BYTES, 0)).intoMemorySegment(winners, at, NATIVE);
        }
    }

    @Override
    void backward(
            boolean bf16,
            PoolGeometry g,
            MemorySegment gradOut,
            MemorySegment winners,
            MemorySegment gradIn,
            long from,
            long to) {
        if (bf16) {
            backwardBf16(g, gradOut, winners, gradIn, from, to);
        } else {
            for (long row = from; row < to; row++) {
                if (F32MaxWindows.fits(g)) {
                    F32WonGradients.row(g, gradOut, winners, gradIn, row);
                } else {
                    backwardF32(g, gradOut, winners, gradIn, row, row + 1);
                }
            }
        }
    }

    private void backwardBf16(
            PoolGeometry g, MemorySegment gradOut, MemorySegment winners, MemorySegment gradIn, long from, long to) {
        int bound = bound(g);
        for (long row = from; row < to; row++) {
            long n = row / g.h();
            int i = (int) (row % g.h());
            int firstY = g.firstWindowRow(i);
            int rows = g.endWindowRow(i) - firstY;
            for (int j = 0; j < g.w(); j++) {
                int firstX = g.firstWindowColumn(j);
                int columns = g.endWindowColumn(j) - firstX;
                long start = g.output(n, firstY, firstX);
                long at = (row * g.w() + j) * g.c();
                int position = g.position(firstY, firstX, i, j);
                if (rows == 1 && columns == 1) {
                    takeBf16(gradOut, winners, gradIn, start, position, at, bound);
                    continue;
                }
                for (int c = 0; c < bound; c += L) {
                    collectBf16(g, gradOut, winners, gradIn, start + c, rows, columns, position, at + c);
                }
            }
        }
        backward(true, g, gradOut, winners, gradIn, bound, from, to);
    }

    private void backwardF32(
            PoolGeometry g, MemorySegment gradOut, MemorySegment winners, MemorySegment gradIn, long from, long to) {
        int bound = bound(g);
        for (long row = from; row < to; row++) {
            long n = row / g.h();
            int i = (int) (row % g.h());
            int firstY = g.firstWindowRow(i);
            int rows = g.endWindowRow(i) - firstY;
            for (int j = 0; j < g.w(); j++) {
                int firstX = g.firstWindowColumn(j);
                int columns = g.endWindowColumn(j) - firstX;
                long start = g.output(n, firstY, firstX);
                long at = (row * g.w() + j) * g.c();
                int position = g.position(firstY, firstX, i, j);
                for (int c = 0; c < bound; c += L) {
                    collectF32(g, gradOut, winners, gradIn, start + c, rows, columns, position, at + c);
                }
            }
        }
        backward(false, g, gradOut, winners, gradIn, bound, from, to);
    }

    /** For an element of one window: most elements where windows do not overlap. */
    private static void takeBf16(
            MemorySegment gradOut,
            MemorySegment winners,
            MemorySegment gradIn,
            long start,
            int position,
            long at,
            int channels) {
        for (int c = 0; c < channels; c += L) {
            VectorMask<Float> won = ByteVector.fromMemorySegment(BYTES, winners, start + c, NATIVE)
                    .compare(VectorOperators.EQ, (byte) position)
                    .cast(FLOATS);
            Lanes.storeBf16(FloatVector.zero(FLOATS).add(Lanes.loadBf16(gradOut, start + c), won), gradIn, at + c);
        }
    }

    /** @param first position of the element in the first of its windows */
    private static void collectBf16(
            PoolGeometry g,
            MemorySegment gradOut,
            MemorySegment winners,
            MemorySegment gradIn,
            long start,
            int rows,
            int columns,
            int first,
            long at) {
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int y = 0; y < rows; y++) {
            long line = start + (long) y * g.q() * g.c();
            // One window further, the element lies one stride closer to the corner.
            int position = first - y * g.strideH() * g.kernelW();
            for (int x = 0; x < columns; x++) {
                ByteVector winner = ByteVector.fromMemorySegment(BYTES, winners, line + (long) x * g.c(), NATIVE);
                VectorMask<Float> won = winner.compare(VectorOperators.EQ, (byte) (position - x * g.strideW()))
                        .cast(FLOATS);
                sum = sum.add(Lanes.loadBf16(gradOut, line + (long) x * g.c()), won);
            }
        }
        Lanes.storeBf16(sum, gradIn, at);
    }

    private static void collectF32(
            PoolGeometry g,
            MemorySegment gradOut,
            MemorySegment winners,
            MemorySegment gradIn,
            long start,
            int rows,
            int columns,
            int first,
            long at) {
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int y = 0; y < rows; y++) {
            long line = start + (long) y * g.q() * g.c();
            // One window further, the element lies one stride closer to the corner.
            int position = first - y * g.strideH() * g.kernelW();
            for (int x = 0; x < columns; x++) {
                ByteVector winner = ByteVector.fromMemorySegment(BYTES, winners, line + (long) x * g.c(), NATIVE);
                VectorMask<Float> won = winner.compare(VectorOperators.EQ, (byte) (position - x * g.strideW()))
                        .cast(FLOATS);
                sum = sum.add(Lanes.load(gradOut, line + (long) x * g.c()), won);
            }
        }
        Lanes.store(sum, gradIn, at);
    }
}
