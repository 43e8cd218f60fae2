package tenon.engine;

import java.util.Arrays;

/**
 * Dimensions of a tensor, outermost first. Rank 0 is a scalar with one element; a dimension may be 0, and then the tensor is empty.
 * {@code [3]} and {@code [3, 1]} are different shapes. The memory order is always dense row-major; images are [N, H, W, C].
 */
public final class Shape {
    private static final Shape SCALAR = new Shape(new int[0]);

    private final int[] dims;
    private final long elementCount;

    private Shape(int[] dims) {
        long count = 1;
        for (int dim : dims) {
            if (dim < 0) {
                throw new ShapeException("shape: every dimension must be at least 0: shape=" + Arrays.toString(dims));
            }
            count = Math.multiplyExact(count, (long) dim);
        }
        this.dims = dims;
        this.elementCount = count;
    }

    public static Shape of(int... dims) {
        return dims.length == 0 ? SCALAR : new Shape(dims.clone());
    }

    public static Shape scalar() {
        return SCALAR;
    }

    public int rank() {
        return dims.length;
    }

    /** Size of dimension {@code index}; a negative index counts from the end, so {@code dim(-1)} is the channel count of an image. */
    public int dim(int index) {
        int i = index < 0 ? index + dims.length : index;
        if (i < 0 || i >= dims.length) {
            throw new ShapeException("shape: dimension index must lie in [-" + dims.length + ", " + dims.length
                    + "): index=" + index + ", shape=" + this);
        }
        return dims[i];
    }

    public long elementCount() {
        return elementCount;
    }

    /** Elements per index of the last dimension, e.g. N·H·W of an image batch. */
    public long outerCount() {
        long count = 1;
        for (int i = 0; i < dims.length - 1; i++) {
            count *= dims[i];
        }
        return count;
    }

    public int[] toArray() {
        return dims.clone();
    }

    /** This shape with dimension {@code index} (may be negative) replaced. */
    public Shape withDim(int index, int size) {
        int[] copy = dims.clone();
        copy[index < 0 ? index + dims.length : index] = size;
        return new Shape(copy);
    }

    /**
     * The shape that two operands broadcast to: shapes are aligned at the last dimension, and a dimension of 1 (or a missing one)
     * stretches to the other's size.
     */
    public static Shape broadcast(String op, Shape a, Shape b) {
        if (a.equals(b)) {
            return a;
        }
        int rank = Math.max(a.rank(), b.rank());
        int[] out = new int[rank];
        for (int i = 1; i <= rank; i++) {
            int da = i <= a.rank() ? a.dims[a.rank() - i] : 1;
            int db = i <= b.rank() ? b.dims[b.rank() - i] : 1;
            if (da != db && da != 1 && db != 1) {
                throw new ShapeException(TenonException.where(op)
                        + ": shapes must be equal or broadcast (aligned at the last dimension, sizes equal or 1): a="
                        + a + ", b=" + b);
            }
            out[rank - i] = da == 1 ? db : da;
        }
        return new Shape(out);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape && Arrays.equals(dims, shape.dims);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(dims);
    }

    @Override
    public String toString() {
        return Arrays.toString(dims);
    }
}
