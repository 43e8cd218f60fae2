package tenon.engine.backend.reference;

import java.util.function.DoubleBinaryOperator;
import tenon.engine.Shape;
import tenon.engine.Tensor;

/** Matrix product, broadcasting arithmetic and sums. */
final class ReferenceArithmetic {
    private ReferenceArithmetic() {}

    static void gemm(boolean transposeA, boolean transposeB, double alpha, Tensor a, Tensor b, double beta, Tensor c) {
        int rows = c.shape().dim(0);
        int columns = c.shape().dim(1);
        int inner = a.shape().dim(transposeA ? 0 : 1);
        Elements left = Elements.of(a);
        Elements right = Elements.of(b);
        Elements out = Elements.of(c);
        for (int m = 0; m < rows; m++) {
            for (int n = 0; n < columns; n++) {
                double sum = 0;
                for (int k = 0; k < inner; k++) {
                    sum += left.get(transposeA ? (long) k * rows + m : (long) m * inner + k)
                            * right.get(transposeB ? (long) n * inner + k : (long) k * columns + n);
                }
                long i = (long) m * columns + n;
                out.set(i, alpha * sum + (beta == 0 ? 0 : beta * out.get(i)));
            }
        }
    }

    static void broadcast(Tensor a, Tensor b, Tensor out, DoubleBinaryOperator op) {
        Elements x = Elements.of(a);
        Elements y = Elements.of(b);
        Elements z = Elements.of(out);
        for (long i = 0; i < out.elementCount(); i++) {
            double left = x.get(project(i, out.shape(), a.shape()));
            double right = y.get(project(i, out.shape(), b.shape()));
            z.set(i, op.applyAsDouble(left, right));
        }
    }

    static void sumTo(Tensor in, Tensor out) {
        Elements x = Elements.of(in);
        Elements y = Elements.of(out);
        double[] sums = new double[Math.toIntExact(out.elementCount())];
        for (long i = 0; i < in.elementCount(); i++) {
            sums[(int) project(i, in.shape(), out.shape())] += x.get(i);
        }
        for (int i = 0; i < sums.length; i++) {
            y.set(i, sums[i]);
        }
    }

    /**
     * Index in {@code small} of element {@code index} of {@code large}: shapes aligned at the last dimension, coordinate 0 wherever {@code small} has
     * size 1. Leading dimensions of {@code small} beyond {@code large}'s rank are 1.
     */
    private static long project(long index, Shape large, Shape small) {
        long result = 0;
        long stride = 1;
        for (int i = 1; i <= Math.min(large.rank(), small.rank()); i++) {
            long coordinate = index % large.dim(-i);
            index /= large.dim(-i);
            int size = small.dim(-i);
            result += size == 1 ? 0 : coordinate * stride;
            stride *= size;
        }
        return result;
    }
}
