package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.INTS;
import static tenon.engine.backend.cpu.Lanes.L;
import static tenon.engine.backend.cpu.Lanes.SHORTS;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/** {@link CastLoops} with the Vector API; the remainder that fills no vector is left to it. F32 and BF16 have loops of
 * their own: the compiler boxes the vectors of a loop that chooses between them. */
final class VectorCastLoops extends CastLoops {
    @Override
    void toBf16(MemorySegment in, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector x = Lanes.load(in, i);
            IntVector bits = x.reinterpretAsInts();
            IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
            IntVector rounded = bits.add(odd).add(0x7FFF).lanewise(VectorOperators.LSHR, 16);
            IntVector quiet = bits.lanewise(VectorOperators.LSHR, 16).or(0x40);
            IntVector result =
                    rounded.blend(quiet, x.test(VectorOperators.IS_NAN).cast(INTS));
            ((ShortVector) result.convertShape(VectorOperators.I2S, SHORTS, 0))
                    .intoMemorySegment(out, i * 2, ByteOrder.nativeOrder());
        }
        super.toBf16(in, out, bound, to);
    }

    @Override
    void fromBf16(MemorySegment in, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            Lanes.store(Lanes.loadBf16(in, i), out, i);
        }
        super.fromBf16(in, out, bound, to);
    }

    @Override
    void fromBytes(boolean bf16, MemorySegment in, MemorySegment out, long from, long to) {
        if (bf16) {
            fromBytesBf16(in, out, from, to);
        } else {
            fromBytesF32(in, out, from, to);
        }
    }

    private void fromBytesBf16(MemorySegment in, MemorySegment out, long from, long to) {
        long bound = Lanes.BYTES == null ? from : Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            ByteVector bytes = ByteVector.fromMemorySegment(Lanes.BYTES, in, i, ByteOrder.nativeOrder());
            IntVector wide = ((IntVector) bytes.convertShape(VectorOperators.B2I, INTS, 0)).and(0xFF);
            Lanes.storeBf16((FloatVector) wide.convert(VectorOperators.I2F, 0), out, i);
        }
        super.fromBytes(true, in, out, bound, to);
    }

    private void fromBytesF32(MemorySegment in, MemorySegment out, long from, long to) {
        long bound = Lanes.BYTES == null ? from : Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            ByteVector bytes = ByteVector.fromMemorySegment(Lanes.BYTES, in, i, ByteOrder.nativeOrder());
            IntVector wide = ((IntVector) bytes.convertShape(VectorOperators.B2I, INTS, 0)).and(0xFF);
            Lanes.store((FloatVector) wide.convert(VectorOperators.I2F, 0), out, i);
        }
        super.fromBytes(false, in, out, bound, to);
    }
}
