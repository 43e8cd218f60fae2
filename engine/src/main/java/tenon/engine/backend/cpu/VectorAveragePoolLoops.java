package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.FLOATS;
import static tenon.engine.backend.cpu.Lanes.L;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/** {@link AveragePoolLoops} with the Vector API, over the channels; the remainder that fills no vector is left to it. F32 and BF16 have loops of
 * their own: the compiler boxes the vectors of a loop that chooses between them. */
final class VectorAveragePoolLoops extends AveragePoolLoops {
    @Override
    void forward(boolean bf16, PoolGeometry g, MemorySegment in, MemorySegment out, long from, long to) {
        if (bf16) {
            forwardBf16(g, in, out, from, to);
        } else {
            forwardF32(g, in, out, from, to);
        }
    }

    private void forwardBf16(PoolGeometry g, MemorySegment in, MemorySegment out, long from, long to) {
        int bound = FLOATS.loopBound(g.c());
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
                float share = g.share(y, x);
                for (int c = 0; c < bound; c += L) {
                    windowBf16(g, in, out, start + c, rows, columns, share, at + c);
                }
            }
        }
        forward(true, g, in, out, bound, from, to);
    }

    private void forwardF32(PoolGeometry g, MemorySegment in, MemorySegment out, long from, long to) {
        int bound = FLOATS.loopBound(g.c());
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
                float share = g.share(y, x);
                for (int c = 0; c < bound; c += L) {
                    windowF32(g, in, out, start + c, rows, columns, share, at + c);
                }
            }
        }
        forward(false, g, in, out, bound, from, to);
    }

    private static void windowBf16(
            PoolGeometry g,
            MemorySegment in,
            MemorySegment out,
            long start,
            int rows,
            int columns,
            float share,
            long at) {
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int i = 0; i < rows; i++) {
            long line = start + (long) i * g.w() * g.c();
            for (int j = 0; j < columns; j++) {
                sum = sum.add(Lanes.loadBf16(in, line + (long) j * g.c()));
            }
        }
        Lanes.storeBf16(sum.mul(share), out, at);
    }

    private static void windowF32(
            PoolGeometry g,
            MemorySegment in,
            MemorySegment out,
            long start,
            int rows,
            int columns,
            float share,
            long at) {
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int i = 0; i < rows; i++) {
            long line = start + (long) i * g.w() * g.c();
            for (int j = 0; j < columns; j++) {
                sum = sum.add(Lanes.load(in, line + (long) j * g.c()));
            }
        }
        Lanes.store(sum.mul(share), out, at);
    }

    @Override
    void backward(boolean bf16, PoolGeometry g, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        if (bf16) {
            backwardBf16(g, gradOut, gradIn, from, to);
        } else {
            backwardF32(g, gradOut, gradIn, from, to);
        }
    }

    private void backwardBf16(PoolGeometry g, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        int bound = FLOATS.loopBound(g.c());
        for (long row = from; row < to; row++) {
            long n = row / g.h();
            int i = (int) (row % g.h());
            for (int j = 0; j < g.w(); j++) {
                long at = (row * g.w() + j) * g.c();
                for (int c = 0; c < bound; c += L) {
                    collectBf16(g, gradOut, gradIn, n, i, j, c, at + c);
                }
            }
        }
        backward(true, g, gradOut, gradIn, bound, from, to);
    }

    private void backwardF32(PoolGeometry g, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        int bound = FLOATS.loopBound(g.c());
        for (long row = from; row < to; row++) {
            long n = row / g.h();
            int i = (int) (row % g.h());
            for (int j = 0; j < g.w(); j++) {
                long at = (row * g.w() + j) * g.c();
                for (int c = 0; c < bound; c += L) {
                    collectF32(g, gradOut, gradIn, n, i, j, c, at + c);
                }
            }
        }
        backward(false, g, gradOut, gradIn, bound, from, to);
    }

    private static void collectBf16(
            PoolGeometry g, MemorySegment gradOut, MemorySegment gradIn, long n, int i, int j, int c, long at) {
        FloatVector sum = FloatVector.zero(FLOATS);
        int endX = g.endWindowColumn(j);
        for (int y = g.firstWindowRow(i); y < g.endWindowRow(i); y++) {
            for (int x = g.firstWindowColumn(j); x < endX; x++) {
                FloatVector share = FloatVector.broadcast(FLOATS, g.share(y, x));
                sum = Lanes.loadBf16(gradOut, g.output(n, y, x) + c).fma(share, sum);
            }
        }
        Lanes.storeBf16(sum, gradIn, at);
    }

    private static void collectF32(
            PoolGeometry g, MemorySegment gradOut, MemorySegment gradIn, long n, int i, int j, int c, long at) {
        FloatVector sum = FloatVector.zero(FLOATS);
        int endX = g.endWindowColumn(j);
        for (int y = g.firstWindowRow(i); y < g.endWindowRow(i); y++) {
            for (int x = g.firstWindowColumn(j); x < endX; x++) {
                FloatVector share = FloatVector.broadcast(FLOATS, g.share(y, x));
                sum = Lanes.load(gradOut, g.output(n, y, x) + c).fma(share, sum);
            }
        }
        Lanes.store(sum, gradIn, at);
    }
}
