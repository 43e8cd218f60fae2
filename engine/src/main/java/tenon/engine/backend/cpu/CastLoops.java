package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Conversions of the elements [from, to). Plain loops; {@link VectorCastLoops} gives the same bits. */
class CastLoops {
    static CastLoops best() {
        return VectorApi.isUsed() ? new VectorCastLoops() : new CastLoops();
    }

    /** F32 to BF16, to nearest even; every NaN stays one. */
    void toBf16(MemorySegment in, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            Floats.set(true, out, i, Floats.get(in, i));
        }
    }

    /** BF16 to F32. */
    void fromBf16(MemorySegment in, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            Floats.set(out, i, Floats.get(true, in, i));
        }
    }

    /** U8 to F32 or BF16. */
    void fromBytes(boolean bf16, MemorySegment in, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            Floats.set(bf16, out, i, in.get(ValueLayout.JAVA_BYTE, i) & 0xFF);
        }
    }
}
