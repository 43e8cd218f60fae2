package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.BYTES;
import static tenon.engine.backend.cpu.Lanes.FLOATS;
import static tenon.engine.backend.cpu.Lanes.INTS;
import static tenon.engine.backend.cpu.Lanes.L;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link MaxPoolLoops} with the Vector API, over the channels: a pixel's last vector overlaps the one before where its channels fill no whole
 * number of them. F32 and BF16 have loops of their own, because BF16 numbers are compared by their bits, twice as many at once; pixels too
 * narrow for that go through F32.
 */
final class VectorMaxPoolLoops extends MaxPoolLoops {
    private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_PREFERRED;
    private static final int S = SHORTS.length();
    /** As many bytes as there are shorts in a vector. */
    private static final VectorSpecies<Byte> HALF =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(SHORTS.vectorBitSize() / 2));

    private static final short MINUS_INFINITY = (short) 0xFF80;
    private static final int UPPER = 0xFFFF0000;

    private final CastLoops cast = CastLoops.best();

    /** Bytes need a quarter of a vector, which 128-bit machines lack; positions beyond a byte are rare. */
    private static boolean isVectorized(PoolGeometry g) {
        return BYTES != null && g.fitsByte() && g.c() >= L;
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
        if (!isVectorized(g)) {
            super.forward(bf16, g, in, out, winners, from, to);
            return;
        }
        PoolColumns columns = PoolColumns.windows(g);
        long line = (long) g.w() * g.c();
        long length = (long) g.q() * g.c();
        boolean narrow = bf16 && g.c() < S;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment wideIn = narrow ? arena.allocate(4 * line * Math.min(g.kernelH(), g.h()), 64) : null;
            MemorySegment wideOut = narrow ? arena.allocate(4 * length, 64) : null;
            for (long row = from; row < to; row++) {
                long n = row / g.p();
                int y = (int) (row % g.p());
                int i = g.firstRow(y);
                int rows = g.endRow(y) - i;
                long start = (n * g.h() + (long) y * g.strideH() - g.top() + i) * line;
                long at = row * length;
                if (narrow) {
                    cast.fromBf16(in.asSlice(2 * start), wideIn, 0, rows * line);
                    MemorySegment won = winners == null ? null : winners.asSlice(at);
                    windowsF32(g, columns, wideIn, 0, i, rows, wideOut, won, 0);
                    cast.toBf16(wideOut, out.asSlice(2 * at), 0, length);
                } else if (bf16) {
                    windowsBf16(g, columns, in, start, i, rows, out, winners, at);
                } else {
                    windowsF32(g, columns, in, start, i, rows, out, winners, at);
                }
            }
        }
    }

    /** An output row, whose windows have {@code rows} rows in the image, from row {@code firstRow} of theirs on. */
    private static void windowsBf16(
            PoolGeometry g,
            PoolColumns columns,
            MemorySegment in,
            long start,
            int firstRow,
            int rows,
            MemorySegment out,
            MemorySegment winners,
            long at) {
        int channels = g.c();
        int kernelW = g.kernelW();
        long line = (long) g.w() * channels;
        for (int x = 0; x < columns.size(); x++) {
            int count = columns.count(x);
            long pixel = start + (long) columns.from(x) * channels;
            short first = (short) (firstRow * kernelW + columns.position(x));
            for (int c = 0; c < channels; c += S) {
                int channel = Math.min(c, channels - S);
                ShortVector best = ShortVector.broadcast(SHORTS, MINUS_INFINITY);
                ShortVector bestKey = ShortVector.broadcast(SHORTS, Short.MAX_VALUE);
                ShortVector winner = ShortVector.broadcast(SHORTS, first);
                ShortVector position = winner;
                long row = pixel + channel;
                for (int i = 0; i < rows; i++) {
                    long from = row;
                    for (int j = 0; j < count; j++) {
                        ShortVector value = Lanes.loadBits(SHORTS, in, from);
                        ShortVector key = key(value);
                        VectorMask<Short> wins = key.lt(bestKey);
                        bestKey = bestKey.min(key);
                        best = best.blend(value, wins);
                        winner = winner.blend(position, wins);
                        position = position.add((short) 1);
                        from += channels;
                    }
                    row += line;
                    position = position.add((short) (kernelW - count));
                }
                Lanes.store(best, out, at + channel);
                if (winners != null) {
                    Lanes.store((ByteVector) winner.convertShape(VectorOperators.S2B, HALF, 0), winners, at + channel);
                }
            }
            at += channels;
        }
    }

    /**
     * Integers that fall while BF16 numbers rise, the same for both zeros, and least for all NaNs: the negated numbers as integers, moved so that
     * the NaNs of either sign, which are at either end, wrap to one end. That of −∞ is the largest short.
     */
    private static ShortVector key(ShortVector bits) {
        ShortVector sign = bits.lanewise(VectorOperators.ASHR, 15);
        ShortVector magnitude = bits.and(Short.MAX_VALUE);
        return sign.add((short) 127)
                .sub(magnitude.lanewise(VectorOperators.XOR, sign))
                .max((short) (127 + 127 + Short.MIN_VALUE));
    }

    private static void windowsF32(
            PoolGeometry g,
            PoolColumns columns,
            MemorySegment in,
            long start,
            int firstRow,
            int rows,
            MemorySegment out,
            MemorySegment winners,
            long at) {
        int channels = g.c();
        int kernelW = g.kernelW();
        long line = (long) g.w() * channels;
        for (int x = 0; x < columns.size(); x++) {
            int count = columns.count(x);
            long pixel = start + (long) columns.from(x) * channels;
            int first = firstRow * kernelW + columns.position(x);
            for (int c = 0; c < channels; c += L) {
                int channel = Math.min(c, channels - L);
                FloatVector best = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
                IntVector winner = IntVector.broadcast(INTS, first);
                IntVector position = winner;
                long row = pixel + channel;
                for (int i = 0; i < rows; i++) {
                    long from = row;
                    for (int j = 0; j < count; j++) {
                        FloatVector value = Lanes.load(in, from);
                        // Larger or NaN, unless the best is NaN already.
                        VectorMask<Float> wins = value.compare(VectorOperators.LE, best)
                                .not()
                                .and(best.compare(VectorOperators.EQ, best));
                        best = best.blend(value, wins);
                        winner = winner.blend(position, wins.cast(INTS));
                        position = position.add(1);
                        from += channels;
                    }
                    row += line;
                    position = position.add(kernelW - count);
                }
                Lanes.store(best, out, at + channel);
                if (winners != null) {
                    Lanes.store((ByteVector) winner.convertShape(VectorOperators.I2B, BYTES, 0), winners, at + channel);
                }
            }
            at += channels;
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
        if (!isVectorized(g)) {
            super.backward(bf16, g, gradOut, winners, gradIn, from, to);
            return;
        }
        PoolColumns columns = PoolColumns.elements(g);
        long line = (long) g.q() * g.c();
        long length = (long) g.w() * g.c();
        boolean narrow = bf16 && g.c() < S;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment wideOut = narrow ? arena.allocate(4 * line * Math.min(g.kernelH(), g.p()), 64) : null;
            MemorySegment wideIn = narrow ? arena.allocate(4 * length, 64) : null;
            for (long row = from; row < to; row++) {
                long n = row / g.h();
                int i = (int) (row % g.h());
                int y = g.firstWindowRow(i);
                int rows = g.endWindowRow(i) - y;
                int firstRow = i + g.top() - y * g.strideH();
                long start = (n * g.p() + y) * line;
                long at = row * length;
                if (narrow) {
                    // Past the last window, there is nothing to slice.
                    long first = rows > 0 ? start : 0;
                    cast.fromBf16(gradOut.asSlice(2 * first), wideOut, 0, Math.max(0, rows) * line);
                    elementsF32(g, columns, wideOut, winners.asSlice(first), 0, firstRow, rows, wideIn, 0);
                    cast.toBf16(wideIn, gradIn.asSlice(2 * at), 0, length);
                } else if (bf16) {
                    elementsBf16(g, columns, gradOut, winners, start, firstRow, rows, gradIn, at);
                } else {
                    elementsF32(g, columns, gradOut, winners, start, firstRow, rows, gradIn, at);
                }
            }
        }
    }

    /** An input row, which lies in {@code rows} rows of windows, as row {@code firstRow} of those of the first. */
    private static void elementsBf16(
            PoolGeometry g,
            PoolColumns columns,
            MemorySegment gradOut,
            MemorySegment winners,
            long start,
            int firstRow,
            int rows,
            MemorySegment gradIn,
            long at) {
        int channels = g.c();
        long line = (long) g.q() * channels;
        byte across = (byte) g.strideW();
        for (int x = 0; x < columns.size(); x++) {
            int count = columns.count(x);
            long pixel = start + (long) columns.from(x) * channels;
            byte first = (byte) (firstRow * g.kernelW() + columns.position(x));
            if (rows == 1 && count == 1) {
                takeBf16(gradOut, winners, pixel, channels, first, gradIn, at);
                at += channels;
                continue;
            }
            byte down = (byte) (g.strideH() * g.kernelW() - count * g.strideW());
            for (int c = 0; c < channels; c += S) {
                int channel = Math.min(c, channels - S);
                FloatVector even = FloatVector.zero(FLOATS);
                FloatVector odd = FloatVector.zero(FLOATS);
                ByteVector position = ByteVector.broadcast(HALF, first);
                long row = pixel + channel;
                for (int i = 0; i < rows; i++) {
                    long from = row;
                    for (int j = 0; j < count; j++) {
                        ShortVector gradient = Lanes.loadBits(SHORTS, gradOut, from);
                        VectorMask<Short> won =
                                Lanes.load(HALF, winners, from).eq(position).cast(SHORTS);
                        IntVector pairs =
                                ShortVector.zero(SHORTS).blend(gradient, won).reinterpretAsInts();
                        even = even.add(pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats());
                        odd = odd.add(pairs.and(UPPER).reinterpretAsFloats());
                        // One window further, the element lies one stride closer to the corner.
                        position = position.sub(across);
                        from += channels;
                    }
                    row += line;
                    position = position.sub(down);
                }
                IntVector pairs = Lanes.rounded(even)
                        .lanewise(VectorOperators.LSHR, 16)
                        .or(Lanes.rounded(odd).and(UPPER));
                Lanes.store(pairs.reinterpretAsShorts(), gradIn, at + channel);
            }
            at += channels;
        }
    }

    /** A pixel of one window: most pixels where windows do not overlap. */
    private static void takeBf16(
            MemorySegment gradOut,
            MemorySegment winners,
            long start,
            int channels,
            byte position,
            MemorySegment gradIn,
            long at) {
        for (int c = 0; c < channels; c += S) {
            int channel = Math.min(c, channels - S);
            ShortVector gradient = Lanes.loadBits(SHORTS, gradOut, start + channel);
            VectorMask<Short> won =
                    Lanes.load(HALF, winners, start + channel).eq(position).cast(SHORTS);
            // Added to 0, −0 is 0.
            VectorMask<Short> taken = won.and(gradient.compare(VectorOperators.NE, Short.MIN_VALUE));
            Lanes.store(ShortVector.zero(SHORTS).blend(gradient, taken), gradIn, at + channel);
        }
    }

    private static void elementsF32(
            PoolGeometry g,
            PoolColumns columns,
            MemorySegment gradOut,
            MemorySegment winners,
            long start,
            int firstRow,
            int rows,
            MemorySegment gradIn,
            long at) {
        int channels = g.c();
        long line = (long) g.q() * channels;
        byte across = (byte) g.strideW();
        for (int x = 0; x < columns.size(); x++) {
            int count = columns.count(x);
            long pixel = start + (long) columns.from(x) * channels;
            byte first = (byte) (firstRow * g.kernelW() + columns.position(x));
            byte down = (byte) (g.strideH() * g.kernelW() - count * g.strideW());
            for (int c = 0; c < channels; c += L) {
                int channel = Math.min(c, channels - L);
                FloatVector sum = FloatVector.zero(FLOATS);
                ByteVector position = ByteVector.broadcast(BYTES, first);
                long row = pixel + channel;
                for (int i = 0; i < rows; i++) {
                    long from = row;
                    for (int j = 0; j < count; j++) {
                        FloatVector gradient = Lanes.load(gradOut, from);
                        VectorMask<Float> won =
                                Lanes.load(BYTES, winners, from).eq(position).cast(FLOATS);
                        sum = sum.add(gradient, won);
                        position = position.sub(across);
                        from += channels;
                    }
                    row += line;
                    position = position.sub(down);
                }
                Lanes.store(sum, gradIn, at + channel);
            }
            at += channels;
        }
    }
}
