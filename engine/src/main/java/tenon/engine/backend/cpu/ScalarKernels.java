package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Floats.get;
import static tenon.engine.backend.cpu.Floats.set;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import tenon.engine.DType;
import tenon.engine.Philox;

/** Plain loops: the definition, the tails of the vector version, and the fallback without the Vector API. */
final class ScalarKernels implements FloatKernels {
    @Override
    public void add(MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            set(out, i, get(a, i) + get(b, i));
        }
    }

    @Override
    public void addRelu(MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            float x = get(a, i) + get(b, i);
            set(out, i, x <= 0 ? 0 : x);
        }
    }

    @Override
    public void multiply(MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            set(out, i, get(a, i) * get(b, i));
        }
    }

    @Override
    public void scale(MemorySegment in, float factor, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            set(out, i, factor * get(in, i));
        }
    }

    @Override
    public void shift(MemorySegment in, float shift, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            set(out, i, get(in, i) + shift);
        }
    }

    @Override
    public void addRows(MemorySegment a, MemorySegment row, MemorySegment out, long columns, long from, long to) {
        for (long r = from; r < to; r++) {
            for (long c = 0; c < columns; c++) {
                set(out, r * columns + c, get(a, r * columns + c) + get(row, c));
            }
        }
    }

    @Override
    public void multiplyRows(MemorySegment a, MemorySegment row, MemorySegment out, long columns, long from, long to) {
        for (long r = from; r < to; r++) {
            for (long c = 0; c < columns; c++) {
                set(out, r * columns + c, get(a, r * columns + c) * get(row, c));
            }
        }
    }

    @Override
    public void relu(MemorySegment in, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            float x = get(in, i);
            set(out, i, x <= 0 ? 0 : x);
        }
    }

    @Override
    public void reluBackward(MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        for (long i = from; i < to; i++) {
            set(gradIn, i, get(output, i) > 0 ? get(gradOut, i) : 0);
        }
    }

    @Override
    public void relu6(MemorySegment in, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            float x = get(in, i);
            set(out, i, x <= 0 ? 0 : x > 6 ? 6 : x);
        }
    }

    @Override
    public void relu6Backward(MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        for (long i = from; i < to; i++) {
            float y = get(output, i);
            set(gradIn, i, y > 0 && y < 6 ? get(gradOut, i) : 0);
        }
    }

    @Override
    public void maxPool(
            MaxPoolGeometry g, MemorySegment in, MemorySegment out, MemorySegment winners, long from, long to) {
        maxPool(g, in, out, winners, 0, from, to);
    }

    /** As the method above, for channels from {@code firstChannel} on. */
    static void maxPool(
            MaxPoolGeometry g,
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
                    float best = get(in, g.input(n, y, x, i, j) + c);
                    for (; i < g.endRow(y); i++) {
                        for (j = g.firstColumn(x); j < g.endColumn(x); j++) {
                            float value = get(in, g.input(n, y, x, i, j) + c);
                            if (!(value <= best) && best == best) {
                                best = value;
                                winner = i * g.kernelW() + j;
                            }
                        }
                    }
                    long at = (row * g.q() + x) * g.c() + c;
                    set(out, at, best);
                    if (winners != null) {
                        winners.set(ValueLayout.JAVA_BYTE, at, (byte) winner);
                    }
                }
            }
        }
    }

    @Override
    public void maxPoolBackward(
            MaxPoolGeometry g, MemorySegment gradOut, MemorySegment winners, MemorySegment gradIn, long from, long to) {
        clear(g, gradIn, from, to);
        maxPoolBackward(g, gradOut, winners, gradIn, 0, from, to);
    }

    /** Zeroes the gradients of images [from, to). */
    static void clear(MaxPoolGeometry g, MemorySegment gradIn, long from, long to) {
        long image = 4L * g.h() * g.w() * g.c();
        gradIn.asSlice(from * image, (to - from) * image).fill((byte) 0);
    }

    /** Adds the gradients of channels from {@code firstChannel} on. */
    static void maxPoolBackward(
            MaxPoolGeometry g,
            MemorySegment gradOut,
            MemorySegment winners,
            MemorySegment gradIn,
            int firstChannel,
            long from,
            long to) {
        for (long row = from * g.p(); row < to * g.p() && firstChannel < g.c(); row++) {
            int y = (int) (row % g.p());
            for (int x = 0; x < g.q(); x++) {
                for (int c = firstChannel; c < g.c(); c++) {
                    long at = (row * g.q() + x) * g.c() + c;
                    int winner = winners.get(ValueLayout.JAVA_BYTE, at) & 0xFF;
                    long target = g.input(row / g.p(), y, x, winner / g.kernelW(), winner % g.kernelW()) + c;
                    set(gradIn, target, get(gradIn, target) + get(gradOut, at));
                }
            }
        }
    }

    @Override
    public void fill(MemorySegment out, float value, long from, long to) {
        for (long i = from; i < to; i++) {
            set(out, i, value);
        }
    }

    @Override
    public void copyColumns(
            MemorySegment in,
            long fromColumns,
            long fromOffset,
            MemorySegment out,
            long toColumns,
            long toOffset,
            long count,
            long from,
            long to) {
        for (long r = from; r < to; r++) {
            for (long c = 0; c < count; c++) {
                set(out, r * toColumns + toOffset + c, get(in, r * fromColumns + fromOffset + c));
            }
        }
    }

    @Override
    public boolean isFinite(MemorySegment in, long from, long to) {
        for (long i = from; i < to; i++) {
            if (!Float.isFinite(get(in, i))) {
                return false;
            }
        }
        return true;
    }

    @Override
    public double sum(MemorySegment in, long from, long to) {
        double sum = 0;
        for (long i = from; i < to; i++) {
            sum += get(in, i);
        }
        return sum;
    }

    @Override
    public void columnSums(MemorySegment in, int columns, long from, long to, double[] sums, int offset) {
        columnSums(in, columns, 0, from, to, sums, offset);
    }

    /** As the method above, for columns from {@code first} on. */
    static void columnSums(MemorySegment in, int columns, int first, long from, long to, double[] sums, int offset) {
        for (int c = first; c < columns; c++) {
            sums[offset + c] = 0;
        }
        for (long r = from; r < to; r++) {
            for (int c = first; c < columns; c++) {
                sums[offset + c] += get(in, r * columns + c);
            }
        }
    }

    @Override
    public void dropout(
            MemorySegment in,
            MemorySegment out,
            int threshold,
            float factor,
            long seed,
            int step,
            int stream,
            long from,
            long to) {
        int[] block = new int[4];
        long i = from;
        while (i < to) {
            long number = i >>> 2;
            Philox.block(seed, (int) number, (int) (number >>> 32), step, stream, block);
            long end = Math.min(to, (number + 1) << 2);
            for (; i < end; i++) {
                set(out, i, (block[(int) (i & 3)] >>> 8) < threshold ? 0 : get(in, i) * factor);
            }
        }
    }

    @Override
    public void addBf16(MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            float sum = DType.bf16ToFloat(a.getAtIndex(ValueLayout.JAVA_SHORT, i))
                    + DType.bf16ToFloat(b.getAtIndex(ValueLayout.JAVA_SHORT, i));
            out.setAtIndex(ValueLayout.JAVA_SHORT, i, DType.floatToBf16(sum));
        }
    }

    @Override
    public void toBf16(MemorySegment in, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            out.setAtIndex(ValueLayout.JAVA_SHORT, i, DType.floatToBf16(get(in, i)));
        }
    }

    @Override
    public void fromBf16(MemorySegment in, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            set(out, i, DType.bf16ToFloat(in.getAtIndex(ValueLayout.JAVA_SHORT, i)));
        }
    }
}
