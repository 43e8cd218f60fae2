package tenon.engine.backend.cpu;

import tenon.engine.Shape;
import tenon.engine.Tensor;

/**
 * The logical dimensions of a weight as oneDNN sees them, and how the plain tensor lies in them.
 *
 * @param shape [K, R, S, C / groups] of a convolution, or [O, I] of a dense layer
 * @param groups of the convolution, 1 for a dense layer
 */
record WeightGeometry(Shape shape, int groups) {
    /** [O, I], or K, C, R, S, or with groups G, K / G, C / G, R, S. */
    long[] dims() {
        if (shape.rank() == 2) {
            return new long[] {shape.dim(0), shape.dim(1)};
        }
        long k = shape.dim(0);
        long r = shape.dim(1);
        long s = shape.dim(2);
        long c = shape.dim(3);
        return groups == 1 ? new long[] {k, c, r, s} : new long[] {groups, k / groups, c, r, s};
    }

    /** Strides of {@link #dims} in the row-major tensor. */
    long[] plainStrides() {
        if (shape.rank() == 2) {
            return new long[] {shape.dim(1), 1};
        }
        long s = shape.dim(2);
        long c = shape.dim(3);
        long filter = shape.dim(1) * s * c;
        return groups == 1
                ? new long[] {filter, 1, s * c, c}
                : new long[] {shape.dim(0) / groups * filter, filter, 1, s * c, c};
    }

    boolean fits(Tensor weight) {
        return weight.shape().equals(shape);
    }
}
