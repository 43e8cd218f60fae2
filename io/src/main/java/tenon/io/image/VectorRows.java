package tenon.io.image;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** The part of {@link Resampler}'s sums over rows that whole vectors cover, with the same bits; the compiler leaves such loops from bytes to floats as they are. */
final class VectorRows {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    /** As many bytes as floats, but no vector is smaller than eight bytes. */
    private static final VectorSpecies<Byte> BYTES =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, FLOATS.length() * 8)));

    private VectorRows() {}

    /** The weighted sum of the row at {@code from} and the next one, which follows without a gap. @return how many values were written */
    static int set(float[] to, byte[] pixels, int from, float upper, float lower) {
        int next = from + to.length;
        int bound = bound(to.length, pixels.length - next);
        for (int i = 0; i < bound; i += FLOATS.length()) {
            FloatVector above = floats(pixels, from + i).mul(upper);
            FloatVector below = floats(pixels, next + i).mul(lower);
            above.add(below).intoArray(to, i);
        }
        return bound;
    }

    /** Adds the weighted row at {@code from}. @return how many values were written */
    static int add(float[] to, byte[] pixels, int from, float weight) {
        int bound = bound(to.length, pixels.length - from);
        for (int i = 0; i < bound; i += FLOATS.length()) {
            FloatVector row = floats(pixels, from + i).mul(weight);
            FloatVector.fromArray(FLOATS, to, i).add(row).intoArray(to, i);
        }
        return bound;
    }

    /** @param left bytes from the row's beginning to the array's end, which the last vector must not pass */
    private static int bound(int count, int left) {
        return FLOATS.loopBound(Math.min(count, Math.max(0, left - (BYTES.length() - FLOATS.length()))));
    }

    private static FloatVector floats(byte[] pixels, int at) {
        return (FloatVector) ByteVector.fromArray(BYTES, pixels, at)
                .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0)
                .convertShape(VectorOperators.I2F, FLOATS, 0);
    }
}
