package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link ChannelLoops} with the Vector API, except for rows shorter than a vector. The last vector of a row overlaps the one before where the
 * row is no whole number of vectors.
 */
final class VectorChannelLoops extends ChannelLoops {
    private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_PREFERRED;
    private static final int BYTE_LANES = BYTES.length();
    private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

    @Override
    void copy(
            MemorySegment in,
            long inStride,
            long inOffset,
            MemorySegment out,
            long outStride,
            long outOffset,
            long count,
            long from,
            long to) {
        if (count < BYTE_LANES) {
            super.copy(in, inStride, inOffset, out, outStride, outOffset, count, from, to);
            return;
        }
        for (long r = from; r < to; r++) {
            copyRow(in, r * inStride + inOffset, out, r * outStride + outOffset, count - BYTE_LANES);
        }
    }

    private static void copyRow(MemorySegment in, long source, MemorySegment out, long target, long last) {
        for (long i = 0; i < last; i += BYTE_LANES) {
            ByteVector.fromMemorySegment(BYTES, in, source + i, NATIVE).intoMemorySegment(out, target + i, NATIVE);
        }
        ByteVector.fromMemorySegment(BYTES, in, source + last, NATIVE).intoMemorySegment(out, target + last, NATIVE);
    }
}
