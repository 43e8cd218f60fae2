package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Max pooling of BF16 or F32 memory. A NaN wins, else the first of equals in row-major order. These plain loops define the results, and
 * {@link VectorMaxPoolLoops} gives the same bits.
 *
 * <p>The winners are the positions in the window, one byte each, or an int each where the window is too large for that.
 */
class MaxPoolLoops {
    static MaxPoolLoops best() {
        return VectorApi.isUsed() ? new VectorMaxPoolLoops() : new MaxPoolLoops();
    }

    /**
     * Output rows [from, to), counted over all images.
     *
     * @param winners out, or null
     */
    void forward(
            boolean bf16,
            PoolGeometry g,
            MemorySegment in,
            MemorySegment out,
            MemorySegment winners,
            long from,
            long to) {
        forward(bf16, g, in, out, winners, 0, from, to);
    }

    /** As the method above, for channels from {@code firstChannel} on. */
    final void forward(
            boolean bf16,
            PoolGeometry g,
            MemorySegment in,
            MemorySegment out,
            MemorySegment winners,
            int firstChannel,
            long from,
            long to) {
        for (long row = from; row < to && firstChannel < g.c(); row++) {
            long n = row / g.p();
            int y = (int) (row % g.p());
            for (int x = 0; x < g.q(); x++) {
                for (int c = firstChannel; c < g.c(); c++) {
                    int i = g.firstRow(y);
                    int j = g.firstColumn(x);
                    int winner = i * g.kernelW() + j;
                    float best = Floats.get(bf16, in, g.input(n, y, x, i, j) + c);
                    for (; i < g.endRow(y); i++) {
                        for (j = g.firstColumn(x); j < g.endColumn(x); j++) {
                            float value = Floats.get(bf16, in, g.input(n, y, x, i, j) + c);
                            if (!(value <= best) && best == best) {
                                best = value;
                                winner = i * g.kernelW() + j;
                            }
                        }
                    }
                    long at = (row * g.q() + x) * g.c() + c;
                    Floats.set(bf16, out, at, best);
                    if (winners != null) {
                        setWinner(g, winners, at, winner);
                    }
                }
            }
        }
    }

    private static void setWinner(PoolGeometry g, MemorySegment winners, long at, int winner) {
        if (g.fitsByte()) {
            winners.set(ValueLayout.JAVA_BYTE, at, (byte) winner);
        } else {
            Floats.setInt(winners, at, winner);
        }
    }

    private static int winner(PoolGeometry g, MemorySegment winners, long at) {
        return g.fitsByte() ? winners.get(ValueLayout.JAVA_BYTE, at) & 0xFF : Floats.getInt(winners, at);
    }

    /** Gradients of input rows [from, to), counted over all images: each element collects from the windows that it won, in row-major order. */
    void backward(
            boolean bf16,
            PoolGeometry g,
            MemorySegment gradOut,
            MemorySegment winners,
            MemorySegment gradIn,
            long from,
            long to) {
        backward(bf16, g, gradOut, winners, gradIn, 0, from, to);
    }

    /** As the method above, for channels from {@code firstChannel} on. */
    final void backward(
            boolean bf16,
            PoolGeometry g,
            MemorySegment gradOut,
            MemorySegment winners,
            MemorySegment gradIn,
            int firstChannel,
            long from,
            long to) {
        for (long row = from; row < to && firstChannel < g.c(); row++) {
            long n = row / g.h();
            int i = (int) (row % g.h());
            for (int j = 0; j < g.w(); j++) {
                for (int c = firstChannel; c < g.c(); c++) {
                    float sum = 0;
                    for (int y = g.firstWindowRow(i); y < g.endWindowRow(i); y++) {
                        for (int x = g.firstWindowColumn(j); x < g.endWindowColumn(j); x++) {
                            long at = g.output(n, y, x) + c;
                            if (winner(g, winners, at) == g.position(y, x, i, j)) {
                                sum += Floats.get(bf16, gradOut, at);
                            }
                        }
                    }
                    Floats.set(bf16, gradIn, (row * g.w() + j) * g.c() + c, sum);
                }
            }
        }
    }
}
