package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** {@link ScalarKernels} with the Vector API; the remainder that fills no vector is left to it. */
final class VectorKernels implements FloatKernels {
    private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = S.withLanes(int.class);
    private static final VectorSpecies<Double> DOUBLES = VectorSpecies.of(double.class, S.vectorShape());
    /** As many shorts as there are floats in a vector. */
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(S.vectorBitSize() / 2));

    /** As many bytes as there are floats in a vector; null on 128-bit machines, where that is no vector. */
    private static final VectorSpecies<Byte> BYTES = S.vectorBitSize() >= 256
            ? VectorSpecies.of(byte.class, VectorShape.forBitSize(S.vectorBitSize() / 4))
            : null;

    private static final VectorSpecies<Long> LONGS = VectorSpecies.of(long.class, S.vectorShape());
    /** Constants of {@link tenon.engine.Philox}, unsigned. */
    private static final long M0 = 0xD2511F53L;

    private static final long M1 = 0xCD9E8D57L;
    private static final long W0 = 0x9E3779B9L;
    private static final long W1 = 0xBB67AE85L;
    private static final long LOW = 0xFFFF_FFFFL;

    private static final int L = S.length();
    private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

    private final ScalarKernels scalar = new ScalarKernels();

    private static FloatVector load(MemorySegment segment, long index) {
        return FloatVector.fromMemorySegment(S, segment, index * 4, NATIVE);
    }

    private static void store(FloatVector vector, MemorySegment segment, long index) {
        vector.intoMemorySegment(segment, index * 4, NATIVE);
    }

    /** End of the part of [from, to) that whole vectors cover. */
    private static long bound(long from, long to) {
        return to - (to - from) % L;
    }

    @Override
    public void add(MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        long bound = bound(from, to);
        for (long i = from; i < bound; i += L) {
            store(load(a, i).add(load(b, i)), out, i);
        }
        scalar.add(a, b, out, bound, to);
    }

    private static FloatVector positive(FloatVector x) {
        return x.blend(0f, x.compare(VectorOperators.LE, 0f));
    }

    @Override
    public void addRelu(MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        long bound = bound(from, to);
        for (long i = from; i < bound; i += L) {
            store(positive(load(a, i).add(load(b, i))), out, i);
        }
        scalar.addRelu(a, b, out, bound, to);
    }

    @Override
    public void multiply(MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        long bound = bound(from, to);
        for (long i = from; i < bound; i += L) {
            store(load(a, i).mul(load(b, i)), out, i);
        }
        scalar.multiply(a, b, out, bound, to);
    }

    @Override
    public void scale(MemorySegment in, float factor, MemorySegment out, long from, long to) {
        long bound = bound(from, to);
        for (long i = from; i < bound; i += L) {
            store(load(in, i).mul(factor), out, i);
        }
        scalar.scale(in, factor, out, bound, to);
    }

    @Override
    public void shift(MemorySegment in, float shift, MemorySegment out, long from, long to) {
        long bound = bound(from, to);
        for (long i = from; i < bound; i += L) {
            store(load(in, i).add(shift), out, i);
        }
        scalar.shift(in, shift, out, bound, to);
    }

    @Override
    public void addRows(MemorySegment a, MemorySegment row, MemorySegment out, long columns, long from, long to) {
        long bound = bound(0, columns);
        for (long r = from; r < to; r++) {
            long start = r * columns;
            for (long c = 0; c < bound; c += L) {
                store(load(a, start + c).add(load(row, c)), out, start + c);
            }
            for (long c = bound; c < columns; c++) {
                Floats.set(out, start + c, Floats.get(a, start + c) + Floats.get(row, c));
            }
        }
    }

    @Override
    public void multiplyRows(MemorySegment a, MemorySegment row, MemorySegment out, long columns, long from, long to) {
        long bound = bound(0, columns);
        for (long r = from; r < to; r++) {
            long start = r * columns;
            for (long c = 0; c < bound; c += L) {
                store(load(a, start + c).mul(load(row, c)), out, start + c);
            }
            for (long c = bound; c < columns; c++) {
                Floats.set(out, start + c, Floats.get(a, start + c) * Floats.get(row, c));
            }
        }
    }

    @Override
    public void relu(MemorySegment in, MemorySegment out, long from, long to) {
        long bound = bound(from, to);
        for (long i = from; i < bound; i += L) {
            store(positive(load(in, i)), out, i);
        }
        scalar.relu(in, out, bound, to);
    }

    @Override
    public void reluBackward(MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        long bound = bound(from, to);
        FloatVector zero = FloatVector.zero(S);
        for (long i = from; i < bound; i += L) {
            store(zero.blend(load(gradOut, i), load(output, i).compare(VectorOperators.GT, 0f)), gradIn, i);
        }
        scalar.reluBackward(output, gradOut, gradIn, bound, to);
    }

    @Override
    public void relu6(MemorySegment in, MemorySegment out, long from, long to) {
        long bound = bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector x = positive(load(in, i));
            store(x.blend(6f, x.compare(VectorOperators.GT, 6f)), out, i);
        }
        scalar.relu6(in, out, bound, to);
    }

    @Override
    public void relu6Backward(MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        long bound = bound(from, to);
        FloatVector zero = FloatVector.zero(S);
        for (long i = from; i < bound; i += L) {
            FloatVector y = load(output, i);
            VectorMask<Float> inside = y.compare(VectorOperators.GT, 0f).and(y.compare(VectorOperators.LT, 6f));
            store(zero.blend(load(gradOut, i), inside), gradIn, i);
        }
        scalar.relu6Backward(output, gradOut, gradIn, bound, to);
    }

    @Override
    public void maxPool(
            MaxPoolGeometry g, MemorySegment in, MemorySegment out, MemorySegment winners, long from, long to) {
        int bound = BYTES == null ? 0 : (int) bound(0, g.c());
        for (long row = from; row < to; row++) {
            long n = row / g.p();
            int y = (int) (row % g.p());
            for (int x = 0; x < g.q(); x++) {
                long at = (row * g.q() + x) * g.c();
                for (int c = 0; c < bound; c += L) {
                    maxPoolVector(g, in, out, winners, n, y, x, at, c);
                }
            }
        }
        ScalarKernels.maxPool(g, in, out, winners, bound, from, to);
    }

    private static void maxPoolVector(
            MaxPoolGeometry g,
            MemorySegment in,
            MemorySegment out,
            MemorySegment winners,
            long n,
            int y,
            int x,
            long at,
            int c) {
        int firstRow = g.firstRow(y);
        int endRow = g.endRow(y);
        int firstColumn = g.firstColumn(x);
        int endColumn = g.endColumn(x);
        FloatVector best = load(in, g.input(n, y, x, firstRow, firstColumn) + c);
        IntVector winner = IntVector.broadcast(INTS, firstRow * g.kernelW() + firstColumn);
        for (int i = firstRow; i < endRow; i++) {
            long start = g.input(n, y, x, i, 0) + c;
            for (int j = firstColumn; j < endColumn; j++) {
                FloatVector value = load(in, start + (long) j * g.c());
                // Larger or NaN, unless the best is NaN already.
                VectorMask<Float> wins =
                        value.compare(VectorOperators.LE, best).not().and(best.compare(VectorOperators.EQ, best));
                best = best.blend(value, wins);
                winner = winner.blend(i * g.kernelW() + j, wins.cast(INTS));
            }
        }
        store(best, out, at + c);
        if (winners != null) {
            ((ByteVector) winner.convertShape(VectorOperators.I2B, BYTES, 0))
                    .intoMemorySegment(winners, at + c, NATIVE);
        }
    }

    @Override
    public void maxPoolBackward(
            MaxPoolGeometry g, MemorySegment gradOut, MemorySegment winners, MemorySegment gradIn, long from, long to) {
        ScalarKernels.clear(g, gradIn, from, to);
        int bound = BYTES == null ? 0 : (int) bound(0, g.c());
        for (long row = from * g.p(); row < to * g.p(); row++) {
            long n = row / g.p();
            int y = (int) (row % g.p());
            for (int x = 0; x < g.q(); x++) {
                long at = (row * g.q() + x) * g.c();
                for (int i = g.firstRow(y); i < g.endRow(y); i++) {
                    for (int j = g.firstColumn(x); j < g.endColumn(x); j++) {
                        maxPoolBackwardPixel(
                                gradOut, winners, gradIn, at, g.input(n, y, x, i, j), i * g.kernelW() + j, bound);
                    }
                }
            }
        }
        ScalarKernels.maxPoolBackward(g, gradOut, winners, gradIn, bound, from, to);
    }

    private static void maxPoolBackwardPixel(
            MemorySegment gradOut,
            MemorySegment winners,
            MemorySegment gradIn,
            long at,
            long target,
            int position,
            int bound) {
        for (int c = 0; c < bound; c += L) {
            ByteVector winner = ByteVector.fromMemorySegment(BYTES, winners, at + c, NATIVE);
            VectorMask<Float> won =
                    winner.compare(VectorOperators.EQ, (byte) position).cast(S);
            FloatVector grad = FloatVector.zero(S).blend(load(gradOut, at + c), won);
            store(load(gradIn, target + c).add(grad), gradIn, target + c);
        }
    }

    @Override
    public void fill(MemorySegment out, float value, long from, long to) {
        long bound = bound(from, to);
        FloatVector values = FloatVector.broadcast(S, value);
        for (long i = from; i < bound; i += L) {
            store(values, out, i);
        }
        scalar.fill(out, value, bound, to);
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
        if (count < L) {
            scalar.copyColumns(in, fromColumns, fromOffset, out, toColumns, toOffset, count, from, to);
            return;
        }
        long last = count - L;
        for (long r = from; r < to; r++) {
            long source = r * fromColumns + fromOffset;
            long target = r * toColumns + toOffset;
            for (long c = 0; c < last; c += L) {
                store(load(in, source + c), out, target + c);
            }
            // The last vector overlaps the one before where the count is no multiple.
            store(load(in, source + last), out, target + last);
        }
    }

    @Override
    public boolean isFinite(MemorySegment in, long from, long to) {
        long bound = bound(from, to);
        for (long i = from; i < bound; i += L) {
            if (!load(in, i).test(VectorOperators.IS_FINITE).allTrue()) {
                return false;
            }
        }
        return scalar.isFinite(in, bound, to);
    }

    private static DoubleVector low(FloatVector x) {
        return (DoubleVector) x.convertShape(VectorOperators.F2D, DOUBLES, 0);
    }

    private static DoubleVector high(FloatVector x) {
        return (DoubleVector) x.convertShape(VectorOperators.F2D, DOUBLES, 1);
    }

    @Override
    public double sum(MemorySegment in, long from, long to) {
        long bound = bound(from, to);
        DoubleVector a = DoubleVector.zero(DOUBLES);
        DoubleVector b = DoubleVector.zero(DOUBLES);
        for (long i = from; i < bound; i += L) {
            FloatVector x = load(in, i);
            a = a.add(low(x));
            b = b.add(high(x));
        }
        // Lane by lane: the order of reduceLanes is not specified.
        DoubleVector both = a.add(b);
        double sum = 0;
        for (int lane = 0; lane < DOUBLES.length(); lane++) {
            sum += both.lane(lane);
        }
        return sum + scalar.sum(in, bound, to);
    }

    private static void store(DoubleVector low, DoubleVector high, double[] sums, int index) {
        low.intoArray(sums, index);
        high.intoArray(sums, index + L / 2);
    }

    @Override
    public void columnSums(MemorySegment in, int columns, long from, long to, double[] sums, int offset) {
        int bound = (int) bound(0, columns);
        int c = 0;
        for (; c + 2 * L <= bound; c += 2 * L) {
            pairSums(in, columns, c, from, to, sums, offset + c);
        }
        if (c < bound) {
            stripSums(in, columns, c, from, to, sums, offset + c);
        }
        ScalarKernels.columnSums(in, columns, bound, from, to, sums, offset);
    }

    /** Two vectors of columns at a time, a whole pair of cache lines per row. A method of its own: the compiler boxes the vectors of larger ones. */
    private static void pairSums(MemorySegment in, int columns, int c, long from, long to, double[] sums, int index) {
        DoubleVector a = DoubleVector.zero(DOUBLES);
        DoubleVector b = DoubleVector.zero(DOUBLES);
        DoubleVector d = DoubleVector.zero(DOUBLES);
        DoubleVector e = DoubleVector.zero(DOUBLES);
        for (long r = from; r < to; r++) {
            FloatVector x = load(in, r * columns + c);
            FloatVector y = load(in, r * columns + c + L);
            a = a.add(low(x));
            b = b.add(high(x));
            d = d.add(low(y));
            e = e.add(high(y));
        }
        store(a, b, sums, index);
        store(d, e, sums, index + L);
    }

    private static void stripSums(MemorySegment in, int columns, int c, long from, long to, double[] sums, int index) {
        DoubleVector a = DoubleVector.zero(DOUBLES);
        DoubleVector b = DoubleVector.zero(DOUBLES);
        for (long r = from; r < to; r++) {
            FloatVector x = load(in, r * columns + c);
            a = a.add(low(x));
            b = b.add(high(x));
        }
        store(a, b, sums, index);
    }

    /** One Philox block per lane, each word in the lower half of a long: see {@link tenon.engine.Philox}. */
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
        // 2·L elements are L / 2 blocks, a vector of longs.
        long bound = to - (to - from) % (2 * L);
        long limit = (long) threshold << 8;
        LongVector lanes = LongVector.zero(LONGS).addIndex(1);
        for (long i = from; i < bound; i += 2 * L) {
            LongVector number = lanes.add(i >>> 2);
            LongVector c0 = number.and(LOW);
            LongVector c1 = number.lanewise(VectorOperators.LSHR, 32);
            LongVector c2 = LongVector.broadcast(LONGS, step & LOW);
            LongVector c3 = LongVector.broadcast(LONGS, stream & LOW);
            long k0 = seed & LOW;
            long k1 = seed >>> 32;
            for (int round = 0; round < 10; round++) {
                LongVector p0 = c0.mul(M0);
                LongVector p1 = c2.mul(M1);
                c0 = p1.lanewise(VectorOperators.LSHR, 32)
                        .lanewise(VectorOperators.XOR, c1)
                        .lanewise(VectorOperators.XOR, k0);
                c2 = p0.lanewise(VectorOperators.LSHR, 32)
                        .lanewise(VectorOperators.XOR, c3)
                        .lanewise(VectorOperators.XOR, k1);
                c1 = p1.and(LOW);
                c3 = p0.and(LOW);
                k0 = (k0 + W0) & LOW;
                k1 = (k1 + W1) & LOW;
            }
            // Word j of block b decides element 4·b + j.
            int dropped = dropped(c0, limit, 0x11111111)
                    | dropped(c1, limit, 0x22222222)
                    | dropped(c2, limit, 0x44444444)
                    | dropped(c3, limit, 0x88888888);
            store(load(in, i).mul(factor).blend(0f, VectorMask.fromLong(S, dropped)), out, i);
            store(load(in, i + L).mul(factor).blend(0f, VectorMask.fromLong(S, dropped >>> L)), out, i + L);
        }
        scalar.dropout(in, out, threshold, factor, seed, step, stream, bound, to);
    }

    private static int dropped(LongVector words, long limit, int places) {
        return Integer.expand((int) words.compare(VectorOperators.LT, limit).toLong(), places);
    }

    private static FloatVector loadBf16(MemorySegment segment, long index) {
        ShortVector bits = ShortVector.fromMemorySegment(SHORTS, segment, index * 2, NATIVE);
        IntVector wide = (IntVector) bits.convertShape(VectorOperators.S2I, INTS, 0);
        return wide.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    /** Rounds to nearest even; a NaN stays one. */
    private static void storeBf16(FloatVector x, MemorySegment segment, long index) {
        IntVector bits = x.reinterpretAsInts();
        IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
        IntVector rounded = bits.add(odd).add(0x7FFF).lanewise(VectorOperators.LSHR, 16);
        IntVector quiet = bits.lanewise(VectorOperators.LSHR, 16).or(0x40);
        IntVector result = rounded.blend(quiet, x.test(VectorOperators.IS_NAN).cast(INTS));
        ((ShortVector) result.convertShape(VectorOperators.I2S, SHORTS, 0))
                .intoMemorySegment(segment, index * 2, NATIVE);
    }

    @Override
    public void addBf16(MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        long bound = bound(from, to);
        for (long i = from; i < bound; i += L) {
            storeBf16(loadBf16(a, i).add(loadBf16(b, i)), out, i);
        }
        scalar.addBf16(a, b, out, bound, to);
    }

    @Override
    public void toBf16(MemorySegment in, MemorySegment out, long from, long to) {
        long bound = bound(from, to);
        for (long i = from; i < bound; i += L) {
            storeBf16(load(in, i), out, i);
        }
        scalar.toBf16(in, out, bound, to);
    }

    @Override
    public void fromBf16(MemorySegment in, MemorySegment out, long from, long to) {
        long bound = bound(from, to);
        for (long i = from; i < bound; i += L) {
            store(loadBf16(in, i), out, i);
        }
        scalar.fromBf16(in, out, bound, to);
    }
}
