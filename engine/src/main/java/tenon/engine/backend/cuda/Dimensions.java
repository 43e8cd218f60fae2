package tenon.engine.backend.cuda;

import java.util.Arrays;
import tenon.engine.Shape;
import tenon.engine.ShapeException;

/**
 * Dimensions of a tensor against those of smaller ones that are aligned with it at the last dimension, innermost first. Neighbours that are stretched alike, or summed alike, are
 * one dimension, and dimensions of size 1 are none, so few remain.
 */
final class Dimensions {
    /** As many as kernels take. */
    static final int MOST = 6;

    private final long[] sizes = new long[MOST];
    private final long[][] strides = new long[2][MOST];
    private int count;
    /** Bit d: dimension d is 1 in the first, or the second, of the smaller shapes. */
    private final int[] stretched = new int[2];

    private Dimensions() {
        Arrays.fill(sizes, 1);
    }

    /** Of a sum from one shape to a smaller one. */
    static Dimensions ofSum(Shape in, Shape out) {
        return of(in, out, in);
    }

    /** Of operands that are stretched to a shape. */
    static Dimensions of(Shape large, Shape a, Shape b) {
        Dimensions dimensions = new Dimensions();
        long strideA = 1;
        long strideB = 1;
        for (int i = 1; i <= large.rank(); i++) {
            int size = large.dim(-i);
            if (size == 1) {
                continue;
            }
            boolean stretchedA = i > a.rank() || a.dim(-i) == 1;
            boolean stretchedB = i > b.rank() || b.dim(-i) == 1;
            dimensions.add(size, stretchedA, stretchedA ? 0 : strideA, stretchedB, stretchedB ? 0 : strideB, large);
            strideA *= stretchedA ? 1 : size;
            strideB *= stretchedB ? 1 : size;
        }
        return dimensions;
    }

    private void add(int size, boolean stretchedA, long strideA, boolean stretchedB, long strideB, Shape large) {
        if (count > 0 && isStretched(0, count - 1) == stretchedA && isStretched(1, count - 1) == stretchedB) {
            sizes[count - 1] *= size;
            return;
        }
        if (count == MOST) {
            throw new ShapeException("cuda: at most " + MOST
                    + " runs of dimensions can be stretched or summed alternately: shape=" + large);
        }
        sizes[count] = size;
        strides[0][count] = strideA;
        strides[1][count] = strideB;
        stretched[0] |= stretchedA ? 1 << count : 0;
        stretched[1] |= stretchedB ? 1 << count : 0;
        count++;
    }

    int count() {
        return count;
    }

    /** 1 from {@link #count} on. */
    long size(int d) {
        return sizes[d];
    }

    /** Stride of an operand, 0 where it is stretched. */
    long stride(int operand, int d) {
        return strides[operand][d];
    }

    boolean isStretched(int operand, int d) {
        return (stretched[operand] >> d & 1) != 0;
    }

    /** Whether the operand has the full shape. */
    boolean isWhole(int operand) {
        return stretched[operand] == 0;
    }

    boolean isNothingSummed() {
        return stretched[0] == 0;
    }

    boolean summed(int d) {
        return isStretched(0, d);
    }

    int summedBits() {
        return stretched[0];
    }
}
