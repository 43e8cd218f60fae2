package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.FLOATS;
import static tenon.engine.backend.cpu.Lanes.L;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** {@link DropoutLoops} with the Vector API; the remainder that fills no vector is left to it. F32 and BF16 have loops of
 * their own: the compiler boxes the vectors of a loop that chooses between them. */
final class VectorDropoutLoops extends DropoutLoops {
    private static final VectorSpecies<Long> LONGS = VectorSpecies.of(long.class, FLOATS.vectorShape());
    /** Constants of {@link tenon.engine.Philox}, unsigned. */
    private static final long M0 = 0xD2511F53L;

    private static final long M1 = 0xCD9E8D57L;
    private static final long W0 = 0x9E3779B9L;
    private static final long W1 = 0xBB67AE85L;
    private static final long LOW = 0xFFFF_FFFFL;

    /** One Philox block per lane, each word in the lower half of a long: see {@link tenon.engine.Philox}. */
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
        if (bf16) {
            dropoutBf16(in, out, threshold, factor, seed, step, stream, from, to);
        } else {
            dropoutF32(in, out, threshold, factor, seed, step, stream, from, to);
        }
    }

    private void dropoutBf16(
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
            Lanes.storeBf16(Lanes.loadBf16(in, i).mul(factor).blend(0f, VectorMask.fromLong(FLOATS, dropped)), out, i);
            Lanes.storeBf16(
                    Lanes.loadBf16(in, i + L).mul(factor).blend(0f, VectorMask.fromLong(FLOATS, dropped >>> L)),
                    out,
                    i + L);
        }
        super.dropout(true, in, out, threshold, factor, seed, step, stream, bound, to);
    }

    private void dropoutF32(
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
            Lanes.store(Lanes.load(in, i).mul(factor).blend(0f, VectorMask.fromLong(FLOATS, dropped)), out, i);
            Lanes.store(
                    Lanes.load(in, i + L).mul(factor).blend(0f, VectorMask.fromLong(FLOATS, dropped >>> L)),
                    out,
                    i + L);
        }
        super.dropout(false, in, out, threshold, factor, seed, step, stream, bound, to);
    }

    private static int dropped(LongVector words, long limit, int places) {
        return Integer.expand((int) words.compare(VectorOperators.LT, limit).toLong(), places);
    }
}
