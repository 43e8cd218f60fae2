package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.FLOATS;
import static tenon.engine.backend.cpu.Lanes.L;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link DropoutLoops} with the Vector API; the remainder that fills no vectors is left to it. Draws come first, as bits, for a piece that stays in
 * the cache: in one loop with loads and stores they exceed what the compiler inlines, and vectors that cross a call are boxed.
 */
final class VectorDropoutLoops extends DropoutLoops {
    private static final VectorSpecies<Long> LONGS = VectorSpecies.of(long.class, FLOATS.vectorShape());
    /** Draws at a time, in pairs of vectors. */
    private static final int PIECE = 64;
    /** Constants of {@link tenon.engine.Philox}, unsigned. */
    private static final long M0 = 0xD2511F53L;

    private static final long M1 = 0xCD9E8D57L;
    private static final long W0 = 0x9E3779B9L;
    private static final long W1 = 0xBB67AE85L;
    private static final long LOW = 0xFFFF_FFFFL;

    @Override
    void dropout(
            boolean bf16,
            MemorySegment in,
            MemorySegment out,
            int threshold,
            float factor,
            long seed,
            int step,
            int stream,
            long from,
            long to) {
        long bound = to - (to - from) % (2 * L);
        int[] dropped = new int[PIECE];
        for (long start = from; start < bound; start += PIECE * 2L * L) {
            int count = (int) Math.min(PIECE, (bound - start) / (2 * L));
            draw(threshold, seed, step, stream, start, count, dropped);
            if (bf16) {
                applyBf16(in, out, factor, dropped, start, count);
            } else {
                applyF32(in, out, factor, dropped, start, count);
            }
        }
        super.dropout(bf16, in, out, threshold, factor, seed, step, stream, bound, to);
    }

    /**
     * Bit j of {@code dropped[i]} is element {@code start + 2·L·i + j}. One Philox block per lane, each word in the lower half of a long (see
     * {@link tenon.engine.Philox}); upper halves hold anything. Factors are masked where they are multiplied, constant ones too: only then does the
     * compiler multiply 32 by 32 bits, in one instruction.
     */
    private static void draw(int threshold, long seed, int step, int stream, long start, int count, int[] dropped) {
        // 2·L elements are L / 2 blocks, a vector of longs.
        LongVector lanes = LongVector.zero(LONGS).addIndex(1);
        LongVector m0 = LongVector.broadcast(LONGS, M0);
        LongVector m1 = LongVector.broadcast(LONGS, M1);
        LongVector firstKey = LongVector.broadcast(LONGS, seed);
        LongVector secondKey = LongVector.broadcast(LONGS, seed >>> 32);
        long limit = (long) threshold << 8;
        for (int i = 0; i < count; i++) {
            LongVector c0 = lanes.add((start >>> 2) + (long) i * (L / 2));
            LongVector c1 = c0.lanewise(VectorOperators.LSHR, 32);
            LongVector c2 = LongVector.broadcast(LONGS, step);
            LongVector c3 = LongVector.broadcast(LONGS, stream);
            LongVector k0 = firstKey;
            LongVector k1 = secondKey;
            for (int round = 0; round < 10; round++) {
                LongVector p0 = c0.and(LOW).mul(m0.and(LOW));
                LongVector p1 = c2.and(LOW).mul(m1.and(LOW));
                c0 = p1.lanewise(VectorOperators.LSHR, 32)
                        .lanewise(VectorOperators.XOR, c1)
                        .lanewise(VectorOperators.XOR, k0);
                c2 = p0.lanewise(VectorOperators.LSHR, 32)
                        .lanewise(VectorOperators.XOR, c3)
                        .lanewise(VectorOperators.XOR, k1);
                c1 = p1;
                c3 = p0;
                k0 = k0.add(W0);
                k1 = k1.add(W1);
            }
            // Word j of block b decides element 4·b + j.
            dropped[i] = bits(c0, limit, 0x11111111)
                    | bits(c1, limit, 0x22222222)
                    | bits(c2, limit, 0x44444444)
                    | bits(c3, limit, 0x88888888);
        }
    }

    private static int bits(LongVector words, long limit, int places) {
        return Integer.expand(
                (int) words.and(LOW).compare(VectorOperators.LT, limit).toLong(), places);
    }

    private static void applyBf16(
            MemorySegment in, MemorySegment out, float factor, int[] dropped, long start, int count) {
        for (int i = 0; i < count; i++) {
            long at = start + 2L * L * i;
            VectorMask<Float> first = VectorMask.fromLong(FLOATS, dropped[i]);
            VectorMask<Float> second = VectorMask.fromLong(FLOATS, dropped[i] >>> L);
            Lanes.storeBf16(Lanes.loadBf16(in, at).mul(factor).blend(0f, first), out, at);
            Lanes.storeBf16(Lanes.loadBf16(in, at + L).mul(factor).blend(0f, second), out, at + L);
        }
    }

    private static void applyF32(
            MemorySegment in, MemorySegment out, float factor, int[] dropped, long start, int count) {
        for (int i = 0; i < count; i++) {
            long at = start + 2L * L * i;
            VectorMask<Float> first = VectorMask.fromLong(FLOATS, dropped[i]);
            VectorMask<Float> second = VectorMask.fromLong(FLOATS, dropped[i] >>> L);
            Lanes.store(Lanes.load(in, at).mul(factor).blend(0f, first), out, at);
            Lanes.store(Lanes.load(in, at + L).mul(factor).blend(0f, second), out, at + L);
        }
    }
}
