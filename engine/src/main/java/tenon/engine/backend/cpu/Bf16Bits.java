package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * BF16 numbers as the bits they are, twice as many in a vector as floats. ReLU needs no more; floats for arithmetic are the even and the odd elements of a
 * vector, which shifts and masks take apart and join in fewer instructions than {@link Lanes} widens and narrows.
 */
final class Bf16Bits {
    static final VectorSpecies<Short> SHORTS = VectorSpecies.of(short.class, Lanes.FLOATS.vectorShape());
    static final int LANES = SHORTS.length();

    private static final short INFINITY = 0x7F80;
    private static final short MINUS_INFINITY = (short) 0xFF80;
    private static final int UPPER = 0xFFFF_0000;
    private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

    private Bf16Bits() {}

    static ShortVector load(MemorySegment bf16, long index) {
        return ShortVector.fromMemorySegment(SHORTS, Lanes.MEMORY, bf16.address() + index * 2, NATIVE);
    }

    static void store(ShortVector x, MemorySegment bf16, long index) {
        x.intoMemorySegment(Lanes.MEMORY, bf16.address() + index * 2, NATIVE);
    }

    /** {@code x} where it is above 0, or NaN; else 0. As integers, −∞ is the largest of the numbers with a sign, and below their NaNs. */
    static ShortVector relu(ShortVector x) {
        return x.blend((short) 0, x.compare(VectorOperators.LE, MINUS_INFINITY));
    }

    static VectorMask<Short> isPositive(ShortVector x) {
        return x.compare(VectorOperators.GT, (short) 0).and(x.compare(VectorOperators.LE, INFINITY));
    }

    /** {@code g} where {@code y} is above 0, else 0. */
    static ShortVector where(ShortVector y, ShortVector g) {
        return ShortVector.zero(SHORTS).blend(g, isPositive(y));
    }

    static FloatVector even(ShortVector x) {
        return x.reinterpretAsInts().lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    static FloatVector odd(ShortVector x) {
        return x.reinterpretAsInts().and(UPPER).reinterpretAsFloats();
    }

    /** Rounds to nearest even; for NaN see {@link Lanes#storeBf16}. */
    static ShortVector round(FloatVector even, FloatVector odd) {
        IntVector lower = rounded(even).lanewise(VectorOperators.LSHR, 16);
        return rounded(odd).and(UPPER).or(lower).reinterpretAsShorts();
    }

    /** The upper halves are the result. */
    private static IntVector rounded(FloatVector x) {
        IntVector bits = x.reinterpretAsInts();
        IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
        return bits.add(odd).add(0x7FFF);
    }
}
