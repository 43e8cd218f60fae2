package tenon.io.data;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;
import tenon.engine.DType;

/**
 * {@link RowLoops} with the Vector API. It divides by multiplying with the reciprocal and correcting the result once, which mostly is the rounded
 * quotient; whether it is for each of the 256 values is tried beforehand, and if not, the table is used.
 */
final class VectorRowLoops extends RowLoops {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final int L = FLOATS.length();
    private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

    /** Five pixels of three channels, in the opposite order; the sixteenth byte is none of theirs. */
    private static final int PIXELS = 5;

    private static final VectorShuffle<Byte> BACKWARDS =
            VectorShuffle.fromValues(ByteVector.SPECIES_128, 12, 13, 14, 9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2, 15);

    /** Per lane, over as many vectors as it takes until the channels begin again. */
    private final float[] mean;

    private final float[] minusStd;
    private final float[] reciprocal;

    VectorRowLoops(Normalization normalization, int channels, DType dtype) {
        super(normalization, channels, dtype);
        int period = L % channels == 0 ? L : L * channels;
        mean = new float[period];
        minusStd = new float[period];
        reciprocal = new float[period];
        for (int i = 0; i < period; i++) {
            mean[i] = normalization.mean(i % channels);
            minusStd[i] = -normalization.std(i % channels);
            reciprocal[i] = 1 / normalization.std(i % channels);
        }
    }

    /** Whether the module is there and a vector of as many bytes as floats exists; {@code -Dtenon.vector=false} says no. */
    static boolean areUsed() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
                && !"false".equals(System.getProperty("tenon.vector"))
                && FLOATS.vectorBitSize() >= 256;
    }

    /** Whether the vector loop gives the table's bits. */
    boolean isExact() {
        for (int i = 0; i < channels; i++) {
            for (int v = 0; v < 256; v++) {
                float centred = v - mean[i];
                float near = centred * reciprocal[i];
                float exact = Math.fma(Math.fma(near, minusStd[i], centred), reciprocal[i], near);
                if (Float.floatToRawIntBits(exact) != Float.floatToRawIntBits(table[i << 8 | v])) {
                    return false;
                }
            }
        }
        return true;
    }

    @Override
    int padding() {
        return 16;
    }

    @Override
    void write(byte[] row, int size, MemorySegment out, long at) {
        // What is left must begin with a pixel.
        int bound = size - size % (L % channels == 0 ? L : L * channels);
        if (bf16) {
            writeBf16(row, bound, out, at);
        } else {
            writeFloats(row, bound, out, at);
        }
        write(row, bound, size, out, at);
    }

    private void writeFloats(byte[] row, int bound, MemorySegment out, long at) {
        for (int i = 0, lane = 0; i < bound; i += L) {
            normalized(row, i, lane).intoMemorySegment(out, at + 4L * i, NATIVE);
            lane = lane + L == mean.length ? 0 : lane + L;
        }
    }

    /** Rounds to nearest even; there is no NaN. */
    private void writeBf16(byte[] row, int bound, MemorySegment out, long at) {
        for (int i = 0, lane = 0; i < bound; i += L) {
            IntVector bits = normalized(row, i, lane).reinterpretAsInts();
            IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
            IntVector rounded = bits.add(odd).add(0x7FFF).lanewise(VectorOperators.LSHR, 16);
            ((ShortVector) rounded.convertShape(VectorOperators.I2S, Species.SHORTS, 0))
                    .intoMemorySegment(out, at + 2L * i, NATIVE);
            lane = lane + L == mean.length ? 0 : lane + L;
        }
    }

    private FloatVector normalized(byte[] row, int i, int lane) {
        ByteVector bytes = ByteVector.fromArray(Species.BYTES, row, i);
        IntVector wide = ((IntVector) bytes.convertShape(VectorOperators.B2I, Species.INTS, 0)).and(0xFF);
        FloatVector centred =
                ((FloatVector) wide.convert(VectorOperators.I2F, 0)).sub(FloatVector.fromArray(FLOATS, mean, lane));
        FloatVector by = FloatVector.fromArray(FLOATS, reciprocal, lane);
        FloatVector near = centred.mul(by);
        FloatVector rest = near.fma(FloatVector.fromArray(FLOATS, minusStd, lane), centred);
        return rest.fma(by, near);
    }

    @Override
    void mirror(byte[] from, byte[] to, int width) {
        if (channels != 3) {
            super.mirror(from, to, width);
            return;
        }
        int x = 0;
        for (; x + PIXELS <= width; x += PIXELS) {
            // Upwards, so that the sixteenth byte is overwritten by what belongs there.
            ByteVector.fromArray(ByteVector.SPECIES_128, from, 3 * (width - x - PIXELS))
                    .rearrange(BACKWARDS)
                    .intoArray(to, 3 * x);
        }
        mirror(from, to, x, width);
    }

    /** Apart, since 128-bit machines have no vector of four bytes. */
    private static final class Species {
        static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
        static final VectorSpecies<Short> SHORTS =
                VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));
        static final VectorSpecies<Byte> BYTES =
                VectorSpecies.of(byte.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 4));
    }
}
