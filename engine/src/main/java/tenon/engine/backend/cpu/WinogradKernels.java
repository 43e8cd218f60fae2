package tenon.engine.backend.cpu;

import static jdk.incubator.vector.VectorOperators.FMA;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The transforms of Winograd's minimal filtering F(4×4, 3×3) and F(2×2, 5×5) (Lavin and Gray 2016, "Fast algorithms for convolutional neural
 * networks") with the interpolation points 0, ±5/8, ±3/2 and ∞, whose errors are half those of the usual 0, ±1, ±2: B for inputs, A for outputs, G for weights. The gradients of the weights use the
 * transposed transforms of the same matrices. Channels, a multiple of {@link #LANES}, run along the vectors.
 */
final class WinogradKernels {
    static final int LANES = Lanes.L;

    /** Powers of the points; all products of them here are exact in F32. */
    private static final float A1 = 5 / 8f;

    private static final float A2 = A1 * A1;
    private static final float B1 = 3 / 2f;
    private static final float B2 = B1 * B1;

    private static final int SIDE = WinogradTile.SIDE;
    private static final float[] G3 = weightTransform(3);
    private static final float[] G5 = weightTransform(5);

    private WinogradKernels() {}

    /** G [6, r]: row i is (1, p, p², …) / N for point p, N the product of its distances from the others; the last row picks the last weight. */
    private static float[] weightTransform(int r) {
        double a = 2.0 * A2 * (A2 - B2);
        double b = 2.0 * B2 * (B2 - A2);
        double[] points = {0, A1, -A1, B1, -B1};
        double[] scales = {1.0 / (A2 * B2), 1 / a, 1 / a, 1 / b, 1 / b};
        float[] g = new float[SIDE * r];
        for (int i = 0; i < points.length; i++) {
            for (int j = 0; j < r; j++) {
                g[i * r + j] = (float) (scales[i] * Math.pow(points[i], j));
            }
        }
        g[SIDE * r - 1] = 1;
        return g;
    }

    private static float[] g(int r) {
        return r == 3 ? G3 : G5;
    }

    private static FloatVector load(MemorySegment segment, long index) {
        return Lanes.load(segment, index);
    }

    private static void store(FloatVector vector, MemorySegment segment, long index) {
        Lanes.store(vector, segment, index);
    }

    // Loops over 64 channels have eight rounds: with C2's checks of each pointer at their entry, those cost as much.

    private static long address(MemorySegment segment, long index) {
        return (segment.address() + 4 * index) & Lanes.ADDRESS;
    }

    private static FloatVector load(long address) {
        return Lanes.load(address);
    }

    private static void store(FloatVector vector, long address) {
        Lanes.store(vector, address);
    }

    // Each transform is separable: a pass down the columns into temporary memory, then one along its rows. Both go
    // over a strip of neighbouring tiles, whose columns lie side by side, so that the first pass is a few long loops
    // and transforms a column that two tiles share once. The channels are the inner loop: with the passes of one
    // vector of channels after the other, C2's code took five times as long.

    /** Columns of {@code tiles} neighbouring tiles of inputs that start {@code m} columns apart. */
    static int width(int m, int tiles) {
        return (tiles - 1) * m + SIDE;
    }

    /** Floats of temporary memory that the transform of a strip needs. */
    static long temporary(int m, int tiles, int channels) {
        return (long) SIDE * Math.max(width(m, tiles), SIDE * tiles) * channels;
    }

    /**
     * Bᵀ·d·B of a strip of 6×6 tiles d.
     *
     * @param m columns from one tile to the next
     * @param base index of the first element that exists in the strip's first row; pixels lie {@code channels} apart, rows {@code row}
     * @param left columns of the strip before that one, {@code valid} columns exist; the others are zeros
     * @param to index of the first tile in plane 0 of the result; the planes lie {@code plane} apart
     * @param t temporary memory, from index {@code t0}
     */
    static void input(
            int m,
            int tiles,
            MemorySegment in,
            long base,
            long row,
            int left,
            int valid,
            int channels,
            MemorySegment out,
            long to,
            long plane,
            MemorySegment t,
            long t0) {
        int width = width(m, tiles);
        long tRow = (long) width * channels;
        inputPass(in, base, row, t, t0 + (long) left * channels, tRow, valid * channels);
        zeroOutside(t, t0, tRow, left, valid, width, channels);
        for (int i = 0; i < SIDE; i++) {
            long from = t0 + i * tRow;
            for (int j = 0; j < tiles; j++) {
                inputPass(
                        t,
                        from + (long) j * m * channels,
                        channels,
                        out,
                        to + i * SIDE * plane + (long) j * channels,
                        plane,
                        channels);
            }
        }
    }

    /** Columns of the six transformed rows that the image does not have. */
    private static void zeroOutside(MemorySegment t, long t0, long tRow, int left, int valid, int width, int channels) {
        if (valid == width) {
            return;
        }
        for (int i = 0; i < SIDE; i++) {
            long at = t0 + i * tRow;
            zero(t, at, left * channels);
            zero(t, at + (long) (left + valid) * channels, (width - left - valid) * channels);
        }
    }

    /** Bᵀ·d for six vectors, {@code step} apart, to six that lie {@code toStep} apart. */
    private static void inputPass(
            MemorySegment in, long from, long step, MemorySegment out, long to, long toStep, int channels) {
        long x0 = address(in, from);
        long x1 = address(in, from + step);
        long x2 = address(in, from + 2 * step);
        long x3 = address(in, from + 3 * step);
        long x4 = address(in, from + 4 * step);
        long x5 = address(in, from + 5 * step);
        long y0To = address(out, to);
        long y1To = address(out, to + toStep);
        long y2To = address(out, to + 2 * toStep);
        long y3To = address(out, to + 3 * toStep);
        long y4To = address(out, to + 4 * toStep);
        long y5To = address(out, to + 5 * toStep);
        for (int c = 0; c < channels; c += LANES) {
            long at = 4L * Lanes.index(c);
            FloatVector d0 = load(x0 + at);
            FloatVector d1 = load(x1 + at);
            FloatVector d2 = load(x2 + at);
            FloatVector d3 = load(x3 + at);
            FloatVector d4 = load(x4 + at);
            FloatVector d5 = load(x5 + at);
            FloatVector even = d2.lanewise(FMA, -B2, d4);
            FloatVector odd = d1.lanewise(FMA, -B2, d3).mul(A1);
            FloatVector even2 = d2.lanewise(FMA, -A2, d4);
            FloatVector odd2 = d1.lanewise(FMA, -A2, d3).mul(B1);
            store(d0.lanewise(FMA, A2 * B2, d2.lanewise(FMA, -(A2 + B2), d4)), y0To + at);
            store(even.add(odd), y1To + at);
            store(even.sub(odd), y2To + at);
            store(even2.add(odd2), y3To + at);
            store(even2.sub(odd2), y4To + at);
            store(d1.lanewise(FMA, A2 * B2, d3.lanewise(FMA, -(A2 + B2), d5)), y5To + at);
        }
    }

    /**
     * Aᵀ·M·A of a strip of tiles M: 4×4 or 2×2 outputs each, of which {@code rows}×{@code columns} in all exist.
     *
     * @param m 4 or 2
     * @param from index of the first tile in plane 0
     * @param bias [channels], or null
     * @param base index of the first tile's first output; its pixels lie {@code channels} apart, its rows {@code row}
     * @param add whether to add to what is there
     */
    static void output(
            int m,
            int tiles,
            MemorySegment in,
            long from,
            long plane,
            int channels,
            MemorySegment bias,
            boolean relu,
            boolean add,
            MemorySegment out,
            boolean bf16,
            long base,
            long row,
            int rows,
            int columns,
            MemorySegment t,
            long t0) {
        int strip = tiles * channels;
        long tRow = (long) SIDE * strip;
        for (int j = 0; j < SIDE; j++) {
            outputPass(m, in, from + j * plane, SIDE * plane, t, t0 + (long) j * strip, tRow, strip);
        }
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < tiles; j++) {
                long at = t0 + i * tRow + (long) j * channels;
                long to = base + i * row + (long) j * m * channels;
                int wanted = Math.min(m, columns - j * m);
                if (wanted < m || add || bf16) {
                    outputPart(m, t, at, strip, channels, bias, relu, add, out, bf16, to, wanted);
                } else if (m == 4) {
                    outputRow4(t, at, strip, channels, bias, relu, out, to);
                } else {
                    outputRow2(t, at, strip, channels, bias, relu, out, to);
                }
            }
        }
    }

    private static void outputPass(
            int m, MemorySegment in, long from, long step, MemorySegment out, long to, long toStep, int count) {
        if (m == 4) {
            outputPass4(in, from, step, out, to, toStep, count);
        } else {
            outputPass2(in, from, step, out, to, toStep, count);
        }
    }

    /** In place over the temporary memory, which the pass reads before it writes. */
    private static void outputPart(
            int m,
            MemorySegment t,
            long at,
            long step,
            int channels,
            MemorySegment bias,
            boolean relu,
            boolean add,
            MemorySegment out,
            boolean bf16,
            long to,
            int wanted) {
        outputPass(m, t, at, step, t, at, step, channels);
        for (int j = 0; j < wanted; j++) {
            finishPixel(t, at + j * step, bias, relu, add, out, bf16, to + (long) j * channels, channels);
        }
    }

    private static void outputPass4(
            MemorySegment in, long from, long step, MemorySegment out, long to, long toStep, int channels) {
        long x0 = address(in, from);
        long x1 = address(in, from + step);
        long x2 = address(in, from + 2 * step);
        long x3 = address(in, from + 3 * step);
        long x4 = address(in, from + 4 * step);
        long x5 = address(in, from + 5 * step);
        long y0To = address(out, to);
        long y1To = address(out, to + toStep);
        long y2To = address(out, to + 2 * toStep);
        long y3To = address(out, to + 3 * toStep);
        for (int c = 0; c < channels; c += LANES) {
            long at = 4L * Lanes.index(c);
            FloatVector m1 = load(x1 + at);
            FloatVector m2 = load(x2 + at);
            FloatVector m3 = load(x3 + at);
            FloatVector m4 = load(x4 + at);
            FloatVector s = m1.add(m2);
            FloatVector d = m1.sub(m2);
            FloatVector s2 = m3.add(m4);
            FloatVector d2 = m3.sub(m4);
            FloatVector y0 = load(x0 + at).add(s).add(s2);
            FloatVector y3 = d.lanewise(FMA, A1 * A2, d2.lanewise(FMA, B1 * B2, load(x5 + at)));
            store(y0, y0To + at);
            store(d.mul(A1).add(d2.mul(B1)), y1To + at);
            store(s.mul(A2).add(s2.mul(B2)), y2To + at);
            store(y3, y3To + at);
        }
    }

    private static void outputPass2(
            MemorySegment in, long from, long step, MemorySegment out, long to, long toStep, int channels) {
        for (int c = 0; c < channels; c += LANES) {
            long at = from + c;
            FloatVector m1 = load(in, at + step);
            FloatVector m2 = load(in, at + 2 * step);
            FloatVector m3 = load(in, at + 3 * step);
            FloatVector m4 = load(in, at + 4 * step);
            FloatVector y0 = load(in, at).add(m1.add(m2)).add(m3.add(m4));
            FloatVector y1 = m1.sub(m2).lanewise(FMA, A1, m3.sub(m4).lanewise(FMA, B1, load(in, at + 5 * step)));
            store(y0, out, to + c);
            store(y1, out, to + c + toStep);
        }
    }

    private static void outputRow4(
            MemorySegment t,
            long from,
            long step,
            int channels,
            MemorySegment bias,
            boolean relu,
            MemorySegment out,
            long to) {
        long x0 = address(t, from);
        long x1 = address(t, from + step);
        long x2 = address(t, from + 2 * step);
        long x3 = address(t, from + 3 * step);
        long x4 = address(t, from + 4 * step);
        long x5 = address(t, from + 5 * step);
        long y0To = address(out, to);
        long y1To = address(out, to + channels);
        long y2To = address(out, to + 2L * channels);
        long y3To = address(out, to + 3L * channels);
        for (int c = 0; c < channels; c += LANES) {
            long at = 4L * Lanes.index(c);
            FloatVector shift = bias == null ? FloatVector.zero(Lanes.FLOATS) : load(bias, c);
            FloatVector m1 = load(x1 + at);
            FloatVector m2 = load(x2 + at);
            FloatVector m3 = load(x3 + at);
            FloatVector m4 = load(x4 + at);
            FloatVector s = m1.add(m2);
            FloatVector d = m1.sub(m2);
            FloatVector s2 = m3.add(m4);
            FloatVector d2 = m3.sub(m4);
            FloatVector y0 = load(x0 + at).add(s).add(s2).add(shift);
            FloatVector y1 = d.lanewise(FMA, A1, d2.lanewise(FMA, B1, shift));
            FloatVector y2 = s.lanewise(FMA, A2, s2.lanewise(FMA, B2, shift));
            FloatVector y3 = load(x5 + at).add(shift);
            store(rectified(y0, relu), y0To + at);
            store(rectified(y1, relu), y1To + at);
            store(rectified(y2, relu), y2To + at);
            y3 = d.lanewise(FMA, A1 * A2, d2.lanewise(FMA, B1 * B2, y3));
            store(rectified(y3, relu), y3To + at);
        }
    }

    private static void outputRow2(
            MemorySegment t,
            long from,
            long step,
            int channels,
            MemorySegment bias,
            boolean relu,
            MemorySegment out,
            long to) {
        for (int c = 0; c < channels; c += LANES) {
            long at = from + c;
            FloatVector shift = bias == null ? FloatVector.zero(Lanes.FLOATS) : load(bias, c);
            FloatVector m1 = load(t, at + step);
            FloatVector m2 = load(t, at + 2 * step);
            FloatVector m3 = load(t, at + 3 * step);
            FloatVector m4 = load(t, at + 4 * step);
            FloatVector y0 = load(t, at).add(m1.add(m2)).add(m3.add(m4)).add(shift);
            FloatVector y1 = load(t, at + 5 * step).add(shift);
            y1 = m1.sub(m2).lanewise(FMA, A1, m3.sub(m4).lanewise(FMA, B1, y1));
            store(rectified(y0, relu), out, to + c);
            store(rectified(y1, relu), out, to + c + channels);
        }
    }

    private static void finishPixel(
            MemorySegment t,
            long from,
            MemorySegment bias,
            boolean relu,
            boolean add,
            MemorySegment out,
            boolean bf16,
            long to,
            int channels) {
        if (bf16) {
            finishBf16(t, from, bias, relu, add, out, to, channels);
        } else {
            finishF32(t, from, bias, relu, add, out, to, channels);
        }
    }

    private static void finishF32(
            MemorySegment t,
            long from,
            MemorySegment bias,
            boolean relu,
            boolean add,
            MemorySegment out,
            long to,
            int channels) {
        for (int c = 0; c < channels; c += LANES) {
            FloatVector shift = bias == null ? FloatVector.zero(Lanes.FLOATS) : load(bias, c);
            FloatVector present = add ? load(out, to + c) : FloatVector.zero(Lanes.FLOATS);
            store(rectified(load(t, from + c).add(shift).add(present), relu), out, to + c);
        }
    }

    private static void finishBf16(
            MemorySegment t,
            long from,
            MemorySegment bias,
            boolean relu,
            boolean add,
            MemorySegment out,
            long to,
            int channels) {
        for (int c = 0; c < channels; c += LANES) {
            FloatVector shift = bias == null ? FloatVector.zero(Lanes.FLOATS) : load(bias, c);
            FloatVector present = add ? Lanes.loadBf16(out, to + c) : FloatVector.zero(Lanes.FLOATS);
            Lanes.storeBf16(rectified(load(t, from + c).add(shift).add(present), relu), out, to + c);
        }
    }

    private static FloatVector rectified(FloatVector y, boolean relu) {
        return relu ? Lanes.relu(y) : y;
    }

    /**
     * A·g·Aᵀ of a strip of tiles g of the output's gradient, 4×4 or 2×2 pixels each: the transpose of {@link #output}.
     *
     * @param base index of the first tile's first element; its pixels lie {@code channels} apart, its rows {@code row}
     * @param valid columns of the strip that exist; the others are zeros
     */
    static void gradOutput(
            int m,
            int tiles,
            MemorySegment in,
            long base,
            long row,
            int valid,
            int channels,
            MemorySegment out,
            long to,
            long plane,
            MemorySegment t,
            long t0) {
        int width = m * tiles;
        long tRow = (long) width * channels;
        gradPass(m, in, base, row, t, t0, tRow, valid * channels);
        zeroOutside(t, t0, tRow, 0, valid, width, channels);
        for (int i = 0; i < SIDE; i++) {
            long from = t0 + i * tRow;
            for (int j = 0; j < tiles; j++) {
                gradPass(
                        m,
                        t,
                        from + (long) j * m * channels,
                        channels,
                        out,
                        to + i * SIDE * plane + (long) j * channels,
                        plane,
                        channels);
            }
        }
    }

    private static void gradPass(
            int m, MemorySegment in, long from, long step, MemorySegment out, long to, long toStep, int count) {
        if (m == 4) {
            gradPass4(in, from, step, out, to, toStep, count);
        } else {
            gradPass2(in, from, step, out, to, toStep, count);
        }
    }

    private static void gradPass4(
            MemorySegment in, long from, long step, MemorySegment out, long to, long toStep, int channels) {
        long x0 = address(in, from);
        long x1 = address(in, from + step);
        long x2 = address(in, from + 2 * step);
        long x3 = address(in, from + 3 * step);
        long y0To = address(out, to);
        long y1To = address(out, to + toStep);
        long y2To = address(out, to + 2 * toStep);
        long y3To = address(out, to + 3 * toStep);
        long y4To = address(out, to + 4 * toStep);
        long y5To = address(out, to + 5 * toStep);
        for (int c = 0; c < channels; c += LANES) {
            long at = 4L * Lanes.index(c);
            FloatVector y0 = load(x0 + at);
            FloatVector y1 = load(x1 + at);
            FloatVector y2 = load(x2 + at);
            FloatVector y3 = load(x3 + at);
            FloatVector s = y2.lanewise(FMA, A2, y0);
            FloatVector d = y1.mul(A1).add(y3.mul(A1 * A2));
            FloatVector s2 = y2.lanewise(FMA, B2, y0);
            FloatVector d2 = y1.mul(B1).add(y3.mul(B1 * B2));
            store(y0, y0To + at);
            store(s.add(d), y1To + at);
            store(s.sub(d), y2To + at);
            store(s2.add(d2), y3To + at);
            store(s2.sub(d2), y4To + at);
            store(y3, y5To + at);
        }
    }

    private static void gradPass2(
            MemorySegment in, long from, long step, MemorySegment out, long to, long toStep, int channels) {
        for (int c = 0; c < channels; c += LANES) {
            FloatVector y0 = load(in, from + c);
            FloatVector y1 = load(in, from + c + step);
            FloatVector d = y1.mul(A1);
            FloatVector d2 = y1.mul(B1);
            long y = to + c;
            store(y0, out, y);
            store(y0.add(d), out, y + toStep);
            store(y0.sub(d), out, y + 2 * toStep);
            store(y0.add(d2), out, y + 3 * toStep);
            store(y0.sub(d2), out, y + 4 * toStep);
            store(y1, out, y + 5 * toStep);
        }
    }

    /**
     * G·g·Gᵀ of one filter: [r, r, channels] to the planes of the result, each [channels].
     *
     * @param flip takes the filter turned by 180 degrees, for the gradient of the input
     */
    static void weight(
            int r,
            boolean flip,
            MemorySegment weight,
            long base,
            int channels,
            MemorySegment out,
            long to,
            long plane,
            MemorySegment t,
            long t0) {
        float[] g = g(r);
        int last = r * r - 1;
        long step = flip ? -(long) r * channels : (long) r * channels;
        for (int s = 0; s < r; s++) {
            long first = base + (long) (flip ? last - s : s) * channels;
            for (int i = 0; i < SIDE; i++) {
                weightPass(r, g, i, weight, first, step, t, t0 + (long) (i * r + s) * channels, channels);
            }
        }
        for (int i = 0; i < SIDE; i++) {
            for (int j = 0; j < SIDE; j++) {
                long at = t0 + (long) i * r * channels;
                weightPass(r, g, j, t, at, channels, out, to + (i * SIDE + j) * plane, channels);
            }
        }
    }

    /** Row {@code i} of G times r vectors. */
    private static void weightPass(
            int r, float[] g, int i, MemorySegment in, long from, long step, MemorySegment out, long to, int channels) {
        int row = i * r;
        if (r == 3) {
            float g0 = g[row];
            float g1 = g[row + 1];
            float g2 = g[row + 2];
            long x0 = address(in, from);
            long x1 = address(in, from + step);
            long x2 = address(in, from + 2 * step);
            long y = address(out, to);
            for (int c = 0; c < channels; c += LANES) {
                long at = 4L * Lanes.index(c);
                FloatVector sum = load(x0 + at).mul(g0);
                sum = load(x1 + at).lanewise(FMA, g1, sum);
                sum = load(x2 + at).lanewise(FMA, g2, sum);
                store(sum, y + at);
            }
            return;
        }
        for (int c = 0; c < channels; c += LANES) {
            FloatVector sum = load(in, from + c).mul(g[row]);
            for (int q = 1; q < r; q++) {
                sum = load(in, from + c + q * step).lanewise(FMA, g[row + q], sum);
            }
            store(sum, out, to + c);
        }
    }

    /** Gᵀ·u·G: the transpose of {@link #weight}, from the planes' gradient to the filter's. */
    static void gradWeight(
            int r,
            MemorySegment in,
            long from,
            long plane,
            int channels,
            MemorySegment out,
            long base,
            MemorySegment t,
            long t0) {
        float[] g = g(r);
        for (int q = 0; q < r; q++) {
            for (int j = 0; j < SIDE; j++) {
                gradWeightPass(
                        r,
                        g,
                        q,
                        in,
                        from + j * plane,
                        SIDE * plane,
                        t,
                        t0 + (long) (q * SIDE + j) * channels,
                        channels);
            }
        }
        for (int q = 0; q < r; q++) {
            for (int s = 0; s < r; s++) {
                long at = t0 + (long) q * SIDE * channels;
                gradWeightPass(r, g, s, t, at, channels, out, base + (long) (q * r + s) * channels, channels);
            }
        }
    }

    /** Column {@code q} of G times six vectors. */
    private static void gradWeightPass(
            int r, float[] g, int q, MemorySegment in, long from, long step, MemorySegment out, long to, int channels) {
        float g0 = g[q];
        float g1 = g[r + q];
        float g2 = g[2 * r + q];
        float g3 = g[3 * r + q];
        float g4 = g[4 * r + q];
        float g5 = g[5 * r + q];
        long x0 = address(in, from);
        long x1 = address(in, from + step);
        long x2 = address(in, from + 2 * step);
        long x3 = address(in, from + 3 * step);
        long x4 = address(in, from + 4 * step);
        long x5 = address(in, from + 5 * step);
        long y = address(out, to);
        for (int c = 0; c < channels; c += LANES) {
            long at = 4L * Lanes.index(c);
            FloatVector sum = load(x0 + at).mul(g0);
            sum = load(x1 + at).lanewise(FMA, g1, sum);
            sum = load(x2 + at).lanewise(FMA, g2, sum);
            sum = load(x3 + at).lanewise(FMA, g3, sum);
            sum = load(x4 + at).lanewise(FMA, g4, sum);
            sum = load(x5 + at).lanewise(FMA, g5, sum);
            store(sum, y + at);
        }
    }

    /** Copies {@code count} elements to F32. */
    static void widen(MemorySegment in, boolean bf16, long from, MemorySegment out, long to, int count) {
        if (!bf16) {
            MemorySegment.copy(in, 4 * from, out, 4 * to, 4L * count);
            return;
        }
        for (int c = 0; c < count; c += LANES) {
            store(Lanes.loadBf16(in, from + c), out, to + c);
        }
    }

    static void zero(MemorySegment out, long to, int count) {
        for (int c = 0; c < count; c += LANES) {
            store(FloatVector.zero(Lanes.FLOATS), out, to + c);
        }
    }
}
