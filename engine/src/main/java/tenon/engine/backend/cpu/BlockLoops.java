package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.MEMORY;

import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Copies of one block of a weight that lie elsewhere, or transposed. {@code stride} is the number of bytes from one row of the target to the next, {@code pitch} of
 * elements from one row of the block to the next.
 * Vectors have 256 bits, which divide every block.
 */
final class BlockLoops {
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_256;
    private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_128;
    static final int LANES = 8;
    private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

    private static final VectorShuffle<Integer> SWAP_1 = VectorShuffle.fromOp(INTS, i -> i ^ 1);
    private static final VectorShuffle<Integer> SWAP_2 = VectorShuffle.fromOp(INTS, i -> i ^ 2);
    private static final VectorShuffle<Integer> SWAP_4 = VectorShuffle.fromOp(INTS, i -> i ^ 4);
    private static final VectorMask<Integer> ODD_1 = VectorMask.fromLong(INTS, 0b10101010);
    private static final VectorMask<Integer> ODD_2 = VectorMask.fromLong(INTS, 0b11001100);
    private static final VectorMask<Integer> ODD_4 = VectorMask.fromLong(INTS, 0b11110000);

    private BlockLoops() {}

    private static IntVector load(long address) {
        return IntVector.fromMemorySegment(INTS, MEMORY, address, NATIVE);
    }

    /** Rows of {@code width} ints. */
    static void rows(long from, int pitch, int rows, int width, long to, long stride) {
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < width; column += LANES) {
                load(from + 4L * (row * pitch + column))
                        .intoMemorySegment(MEMORY, to + row * stride + 4L * column, NATIVE);
            }
        }
    }

    /**
     * As {@link #rows}, each column of the block being a row of the target.
     *
     * @param step bytes from one row of the block to the next
     */
    static void transpose(long from, long step, int rows, int width, long to, long stride) {
        for (int column = 0; column < width; column += LANES) {
            for (int row = 0; row < rows; row += LANES) {
                tile(from + row * step + 4L * column, step, to + column * stride + 4L * row, stride);
            }
        }
    }

    /** Transposes 8 × 8 ints: 2 × 2 squares of ints, then of 2 × 2 ints, then of 4 × 4 ints. Without loops, which would cost twice as much. */
    private static void tile(long from, long step, long to, long stride) {
        IntVector a0 = load(from);
        IntVector a1 = load(from + step);
        IntVector a2 = load(from + 2 * step);
        IntVector a3 = load(from + 3 * step);
        IntVector a4 = load(from + 4 * step);
        IntVector a5 = load(from + 5 * step);
        IntVector a6 = load(from + 6 * step);
        IntVector a7 = load(from + 7 * step);
        IntVector b0 = upper(a0, a1, SWAP_1, ODD_1);
        IntVector b1 = lower(a0, a1, SWAP_1, ODD_1);
        IntVector b2 = upper(a2, a3, SWAP_1, ODD_1);
        IntVector b3 = lower(a2, a3, SWAP_1, ODD_1);
        IntVector b4 = upper(a4, a5, SWAP_1, ODD_1);
        IntVector b5 = lower(a4, a5, SWAP_1, ODD_1);
        IntVector b6 = upper(a6, a7, SWAP_1, ODD_1);
        IntVector b7 = lower(a6, a7, SWAP_1, ODD_1);
        IntVector c0 = upper(b0, b2, SWAP_2, ODD_2);
        IntVector c1 = upper(b1, b3, SWAP_2, ODD_2);
        IntVector c2 = lower(b0, b2, SWAP_2, ODD_2);
        IntVector c3 = lower(b1, b3, SWAP_2, ODD_2);
        IntVector c4 = upper(b4, b6, SWAP_2, ODD_2);
        IntVector c5 = upper(b5, b7, SWAP_2, ODD_2);
        IntVector c6 = lower(b4, b6, SWAP_2, ODD_2);
        IntVector c7 = lower(b5, b7, SWAP_2, ODD_2);
        upper(c0, c4, SWAP_4, ODD_4).intoMemorySegment(MEMORY, to, NATIVE);
        upper(c1, c5, SWAP_4, ODD_4).intoMemorySegment(MEMORY, to + stride, NATIVE);
        upper(c2, c6, SWAP_4, ODD_4).intoMemorySegment(MEMORY, to + 2 * stride, NATIVE);
        upper(c3, c7, SWAP_4, ODD_4).intoMemorySegment(MEMORY, to + 3 * stride, NATIVE);
        lower(c0, c4, SWAP_4, ODD_4).intoMemorySegment(MEMORY, to + 4 * stride, NATIVE);
        lower(c1, c5, SWAP_4, ODD_4).intoMemorySegment(MEMORY, to + 5 * stride, NATIVE);
        lower(c2, c6, SWAP_4, ODD_4).intoMemorySegment(MEMORY, to + 6 * stride, NATIVE);
        lower(c3, c7, SWAP_4, ODD_4).intoMemorySegment(MEMORY, to + 7 * stride, NATIVE);
    }

    private static IntVector upper(IntVector x, IntVector y, VectorShuffle<Integer> swap, VectorMask<Integer> odd) {
        return x.blend(y.rearrange(swap), odd);
    }

    private static IntVector lower(IntVector x, IntVector y, VectorShuffle<Integer> swap, VectorMask<Integer> odd) {
        return x.rearrange(swap).blend(y, odd);
    }

    /** Rows of {@code width} BF16 elements; each element of an even row is followed by the one below it, so that two rows become one. */
    static void zip(long from, int pitch, int rows, int width, long to, long stride) {
        for (int row = 0; row < rows; row += 2) {
            for (int column = 0; column < width; column += LANES) {
                IntVector even = widen(from + 2L * (row * pitch + column));
                IntVector odd = widen(from + 2L * ((row + 1) * pitch + column));
                even.or(odd.lanewise(VectorOperators.LSHL, 16))
                        .intoMemorySegment(MEMORY, to + row / 2 * stride + 4L * column, NATIVE);
            }
        }
    }

    private static IntVector widen(long address) {
        return (IntVector) ShortVector.fromMemorySegment(SHORTS, MEMORY, address, NATIVE)
                .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
    }
}
