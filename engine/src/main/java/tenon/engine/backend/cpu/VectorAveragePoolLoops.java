package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.FLOATS;
import static tenon.engine.backend.cpu.Lanes.L;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * {@link AveragePoolLoops} with the Vector API, over the channels: a pixel's last vector overlaps the one before where its channels fill no whole
 * number of them. F32 and BF16 have loops of their own: the compiler boxes the vectors of a loop that chooses between them.
 */
final class VectorAveragePoolLoops extends AveragePoolLoops {
    @Override
    void forward(boolean bf16, PoolGeometry g, MemorySegment in, MemorySegment out, long from, long to) {
        if (g.c() < L) {
            super.forward(bf16, g, in, out, from, to);
            return;
        }
        PoolColumns columns = PoolColumns.windows(g);
        float[] shares = g.shares();
        float[] sums = new float[g.c() + L];
        for (long row = from; row < to; row++) {
            long n = row / g.p();
            int y = (int) (row % g.p());
            int i = g.firstRow(y);
            int rows = g.endRow(y) - i;
            long line = (n * g.h() + (long) y * g.strideH() - g.top() + i) * g.w();
            for (int x = 0; x < g.q(); x++) {
                long start = (line + columns.from(x)) * g.c();
                long at = (row * g.q() + x) * g.c();
                float share = shares[y * g.q() + x];
                if (bf16) {
                    windowBf16(g, in, start, rows, columns.count(x), share, sums, out, at);
                } else {
                    windowF32(g, in, start, rows, columns.count(x), share, sums, out, at);
                }
            }
        }
    }

    /**
     * Row by row of the window, with the sums of all channels in {@code sums} between them: a large window that is read to its end for one vector
     * of channels, and again for the next, comes from memory many times slower.
     */
    private static void windowBf16(
            PoolGeometry g,
            MemorySegment in,
            long start,
            int rows,
            int count,
            float share,
            float[] sums,
            MemorySegment out,
            long at) {
        int channels = g.c();
        long line = (long) g.w() * channels;
        Arrays.fill(sums, 0);
        for (int i = 0; i < rows; i++) {
            for (int c = 0; c < channels; c += L) {
                long from = start + Math.min(c, channels - L);
                FloatVector sum = Lanes.load(sums, c);
                for (int j = 0; j < count; j++) {
                    sum = sum.add(Lanes.loadBf16(in, from));
                    from += channels;
                }
                sum.intoArray(sums, c);
            }
            start += line;
        }
        for (int c = 0; c < channels; c += L) {
            Lanes.storeBf16(Lanes.load(sums, c).mul(share), out, at + Math.min(c, channels - L));
        }
    }

    private static void windowF32(
            PoolGeometry g,
            MemorySegment in,
            long start,
            int rows,
            int count,
            float share,
            float[] sums,
            MemorySegment out,
            long at) {
        int channels = g.c();
        long line = (long) g.w() * channels;
        Arrays.fill(sums, 0);
        for (int i = 0; i < rows; i++) {
            for (int c = 0; c < channels; c += L) {
                long from = start + Math.min(c, channels - L);
                FloatVector sum = Lanes.load(sums, c);
                for (int j = 0; j < count; j++) {
                    sum = sum.add(Lanes.load(in, from));
                    from += channels;
                }
                sum.intoArray(sums, c);
            }
            start += line;
        }
        for (int c = 0; c < channels; c += L) {
            Lanes.store(Lanes.load(sums, c).mul(share), out, at + Math.min(c, channels - L));
        }
    }

    @Override
    void backward(boolean bf16, PoolGeometry g, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        if (g.c() < L) {
            super.backward(bf16, g, gradOut, gradIn, from, to);
            return;
        }
        PoolColumns columns = PoolColumns.elements(g);
        float[] shares = g.shares();
        for (long row = from; row < to; row++) {
            long n = row / g.h();
            int i = (int) (row % g.h());
            int y = g.firstWindowRow(i);
            int rows = g.endWindowRow(i) - y;
            if (bf16) {
                elementsBf16(g, columns, gradOut, n, y, rows, shares, gradIn, row);
            } else {
                elementsF32(g, columns, gradOut, n, y, rows, shares, gradIn, row);
            }
        }
    }

    /** An input row, which lies in {@code rows} rows of windows from row {@code y} on. */
    private static void elementsBf16(
            PoolGeometry g,
            PoolColumns columns,
            MemorySegment gradOut,
            long n,
            int y,
            int rows,
            float[] shares,
            MemorySegment gradIn,
            long row) {
        int channels = g.c();
        int q = g.q();
        long at = row * g.w() * channels;
        for (int x = 0; x < columns.size(); x++) {
            int count = columns.count(x);
            long start = g.output(n, y, columns.from(x));
            for (int c = 0; c < channels; c += L) {
                int channel = Math.min(c, channels - L);
                FloatVector sum = FloatVector.zero(FLOATS);
                long line = start + channel;
                int share = y * q + columns.from(x);
                for (int i = 0; i < rows; i++) {
                    long from = line;
                    for (int j = 0; j < count; j++) {
                        FloatVector weight = FloatVector.broadcast(FLOATS, shares[share + j]);
                        sum = Lanes.loadBf16(gradOut, from).fma(weight, sum);
                        from += channels;
                    }
                    line += (long) q * channels;
                    share += q;
                }
                Lanes.storeBf16(sum, gradIn, at + channel);
            }
            at += channels;
        }
    }

    private static void elementsF32(
            PoolGeometry g,
            PoolColumns columns,
            MemorySegment gradOut,
            long n,
            int y,
            int rows,
            float[] shares,
            MemorySegment gradIn,
            long row) {
        int channels = g.c();
        int q = g.q();
        long at = row * g.w() * channels;
        for (int x = 0; x < columns.size(); x++) {
            int count = columns.count(x);
            long start = g.output(n, y, columns.from(x));
            for (int c = 0; c < channels; c += L) {
                int channel = Math.min(c, channels - L);
                FloatVector sum = FloatVector.zero(FLOATS);
                long line = start + channel;
                int share = y * q + columns.from(x);
                for (int i = 0; i < rows; i++) {
                    long from = line;
                    for (int j = 0; j < count; j++) {
                        FloatVector weight = FloatVector.broadcast(FLOATS, shares[share + j]);
                        sum = Lanes.load(gradOut, from).fma(weight, sum);
                        from += channels;
                    }
                    line += (long) q * channels;
                    share += q;
                }
                Lanes.store(sum, gradIn, at + channel);
            }
            at += channels;
        }
    }
}
