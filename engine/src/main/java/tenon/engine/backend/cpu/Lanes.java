package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** Loads and stores of {@link #L} elements of F32 or BF16 native memory as floats. */
final class Lanes {
    static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
    /** As many shorts as there are floats in a vector. */
    static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));

    /** As many bytes as there are floats in a vector; null on 128-bit machines, where that is no vector. */
    static final VectorSpecies<Byte> BYTES = FLOATS.vectorBitSize() >= 256
            ? VectorSpecies.of(byte.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 4))
            : null;

    static final int L = FLOATS.length();

    private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

    /**
     * All of memory, which native segments are read and written through: a constant leaves no checks of bounds and lifetime in a loop. C2 moves those
     * out of loops in some runs and not in others, in which Winograd's convolutions took twice as long. Ops check shapes and lifetimes before.
     */
    @SuppressWarnings("restricted")
    static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    /**
     * What of a number is the address of a line of elements. Plus {@link #index}es, it lies in {@link #MEMORY} for sure: C2 checks nothing, where checks at
     * the entry of a loop cost more than a short loop.
     */
    static final long ADDRESS = Long.MAX_VALUE >>> 1;

    private Lanes() {}

    /** {@code i}, which is not negative: before C2 finds that out by itself, it has turned checks into loops. */
    static int index(int i) {
        return i & Integer.MAX_VALUE;
    }

    static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(FLOATS, MEMORY, address, NATIVE);
    }

    static void store(FloatVector x, long address) {
        x.intoMemorySegment(MEMORY, address, NATIVE);
    }

    /** End of the part of [from, to) that whole vectors cover. */
    static long bound(long from, long to) {
        return to - (to - from) % L;
    }

    static FloatVector load(boolean isBf16, MemorySegment segment, long index) {
        return isBf16 ? loadBf16(segment, index) : load(segment, index);
    }

    static void store(boolean isBf16, FloatVector x, MemorySegment segment, long index) {
        if (isBf16) {
            storeBf16(x, segment, index);
        } else {
            store(x, segment, index);
        }
    }

    static FloatVector load(MemorySegment f32, long index) {
        return FloatVector.fromMemorySegment(FLOATS, MEMORY, f32.address() + index * 4, NATIVE);
    }

    static void store(FloatVector x, MemorySegment f32, long index) {
        x.intoMemorySegment(MEMORY, f32.address() + index * 4, NATIVE);
    }

    static FloatVector load(float[] array, int index) {
        return FloatVector.fromArray(FLOATS, array, index);
    }

    static FloatVector loadBf16(MemorySegment bf16, long index) {
        ShortVector bits = ShortVector.fromMemorySegment(SHORTS, MEMORY, bf16.address() + index * 2, NATIVE);
        IntVector wide = (IntVector) bits.convertShape(VectorOperators.S2I, INTS, 0);
        return wide.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    /**
     * Rounds to nearest even. A NaN stays one if its lower 16 bits are not all ones: so are those that arithmetic makes from BF16 numbers, from
     * infinities, and from {@link Float#NaN}.
     */
    static void storeBf16(FloatVector x, MemorySegment bf16, long index) {
        IntVector bits = x.reinterpretAsInts();
        IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
        IntVector rounded = bits.add(odd).add(0x7FFF).lanewise(VectorOperators.LSHR, 16);
        ((ShortVector) rounded.convertShape(VectorOperators.I2S, SHORTS, 0))
                .intoMemorySegment(MEMORY, bf16.address() + index * 2, NATIVE);
    }

    /** {@code x} where it is above 0, or NaN; else 0. */
    static FloatVector relu(FloatVector x) {
        return x.blend(0f, x.compare(VectorOperators.LE, 0f));
    }

    /** {@code x} in [0, ceiling], or NaN; else the nearer end. */
    static FloatVector clamp(FloatVector x, float ceiling) {
        return relu(x).blend(ceiling, x.compare(VectorOperators.GT, ceiling));
    }

    /** {@code g} where {@code y} is above 0 and below the ceiling, else 0. */
    static FloatVector inside(FloatVector y, float ceiling, FloatVector g) {
        VectorMask<Float> inside = y.compare(VectorOperators.GT, 0f).and(y.compare(VectorOperators.LT, ceiling));
        return FloatVector.zero(FLOATS).blend(g, inside);
    }

    /** {@code g} where {@code y} is above 0, else 0. */
    static FloatVector where(FloatVector y, FloatVector g) {
        return FloatVector.zero(FLOATS).blend(g, y.compare(VectorOperators.GT, 0f));
    }
}
