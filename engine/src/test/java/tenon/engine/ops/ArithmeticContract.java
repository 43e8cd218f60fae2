package tenon.engine.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static tenon.engine.testing.TensorAssert.assertNear;
import static tenon.engine.testing.TensorAssert.assertValues;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.Tensor;
import tenon.engine.backend.OpKind;
import tenon.engine.testing.BackendContract;
import tenon.engine.testing.Input;
import tenon.engine.testing.OpCase;
import tenon.engine.testing.TensorAssert;
import tenon.engine.testing.Tensors;
import tenon.engine.testing.Tolerance;

abstract class ArithmeticContract extends BackendContract {
    private static Shape parse(String dims) {
        if (dims.equals("scalar")) {
            return Shape.scalar();
        }
        String[] parts = dims.split("x");
        int[] sizes = new int[parts.length];
        for (int i = 0; i < parts.length; i++) {
            sizes[i] = Integer.parseInt(parts[i]);
        }
        return Shape.of(sizes);
    }

    @ParameterizedTest(name = "{0} and {1}")
    @CsvSource({
        "3, 3",
        "2x3, 2x3",
        "2x3, 3",
        "3, 2x3",
        "2x3, 1x3",
        "2x3, 2x1",
        "2x1, 1x3",
        "2x3x4, 3x1",
        "2x1x4, 3x1",
        "2x3, scalar",
        "scalar, 2x3",
        "scalar, scalar",
        "1, 4",
        "2x2x2x3, 1x2x1x3"
    })
    void broadcastingIsRight(String a, String b) {
        verify(new OpCase(
                OpKind.ADD, 24, in -> Arithmetic.add(in[0], in[1]), Input.random(parse(a)), Input.random(parse(b))));
        verify(new OpCase(
                OpKind.MUL, 24, in -> Arithmetic.mul(in[0], in[1]), Input.random(parse(a)), Input.random(parse(b))));
    }

    @ParameterizedTest(name = "{0} and {1}")
    @CsvSource({
        "1, 1",
        "100003, 100003",
        "31x33, 33",
        "17x5x3, 3",
        "3x9x9x17, 3x1x1x17",
        "3x9x9x17, 9x1",
        "65x129, scalar",
        "0x3, 3"
    })
    void uglySizesAreRight(String a, String b) {
        compare(new OpCase(
                OpKind.ADD,
                10_000,
                in -> Arithmetic.add(in[0], in[1]),
                Input.random(parse(a)),
                Input.random(parse(b))));
        compare(new OpCase(
                OpKind.MUL,
                10_000,
                in -> Arithmetic.mul(in[0], in[1]),
                Input.random(parse(a)),
                Input.random(parse(b))));
    }

    @Test
    void broadcastByHand() {
        Tensor a = Tensors.leaf(new double[] {1, 2, 3, 4, 5, 6}, 2, 3);
        Tensor b = Tensors.leaf(new double[] {10, 100}, 2, 1);
        Tensor product = Arithmetic.mul(a, b);
        product.backward(Tensor.of(new float[] {1, 1, 1, 1, 1, 2}, 2, 3));
        assertNear(product, 10, 20, 30, 400, 500, 600);
        assertNear(a.grad(), 10, 10, 10, 100, 100, 200);
        assertNear(b.grad(), 6, 21);
    }

    @Test
    void scaleIsRight() {
        verify(new OpCase(OpKind.MUL, 1, in -> Arithmetic.scale(in[0], -0.3), Input.random(3, 4)));
        compare(new OpCase(OpKind.MUL, 1, in -> Arithmetic.scale(in[0], -0.3), Input.random(1009)));
        Tensor x = Tensors.leaf(new double[] {1, -2}, 2);
        assertNear(Arithmetic.scale(x, 2.5), 2.5, -5);
    }

    @ParameterizedTest
    @CsvSource({"1,1,1", "2,3,4", "4,1,3"})
    void matrixProductIsRight(int m, int k, int n) {
        verify(product(m, k, n));
    }

    @ParameterizedTest
    @CsvSource({"31,32,33", "1,513,1", "65,1,17", "33,127,5", "100,64,100"})
    void matrixProductOfUglySizesIsRight(int m, int k, int n) {
        compare(product(m, k, n));
    }

    @Test
    void leafTimesItselfIsRight() {
        verify(new OpCase(OpKind.GEMM, 3, in -> Arithmetic.matmul(in[0], in[0]), Input.random(3, 3)));
        verify(new OpCase(OpKind.MUL, 2, in -> Arithmetic.mul(in[0], in[0]), Input.random(2, 3)));
        verify(new OpCase(OpKind.ADD, 2, in -> Arithmetic.add(in[0], in[0]), Input.random(2, 3)));
    }

    private static OpCase product(int m, int k, int n) {
        return new OpCase(
                OpKind.GEMM,
                Math.max(k, Math.max(m, n)),
                in -> Arithmetic.matmul(in[0], in[1]),
                Input.random(m, k),
                Input.random(k, n));
    }

    @ParameterizedTest
    @CsvSource({"false,false", "false,true", "true,false", "true,true"})
    void gemmTransposesScalesAndAdds(boolean transposeA, boolean transposeB) {
        // A = [[1, 2, 3], [4, 5, 6]], B = [[1, 2], [3, 4], [5, 6]]; A·B = [[22, 28], [49, 64]]
        Tensor a = transposeA
                ? Tensor.of(new float[] {1, 4, 2, 5, 3, 6}, 3, 2)
                : Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        Tensor b = transposeB
                ? Tensor.of(new float[] {1, 3, 5, 2, 4, 6}, 2, 3)
                : Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 3, 2);
        Tensor c = Tensor.of(new float[] {1, 1, 1, 1}, 2, 2);
        backend.gemm(transposeA, transposeB, 2, a, b, -1, c);
        assertNear(c, 43, 55, 97, 127);
        Tensor unread = Tensor.full(Shape.of(2, 2), DType.F32, Double.NaN);
        backend.gemm(transposeA, transposeB, 1, a, b, 0, unread);
        assertNear(unread, 22, 28, 49, 64);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 31, 32, 33, 1000, 65537})
    void sumAndMeanAreRight(int size) {
        OpCase sum = new OpCase(OpKind.REDUCE, size, in -> Arithmetic.sum(in[0]), Input.random(size));
        OpCase mean = new OpCase(OpKind.REDUCE, 1, in -> Arithmetic.mean(in[0]), Input.random(size));
        if (size < 100) {
            verify(sum);
            verify(mean);
        } else {
            compare(sum);
            compare(mean);
        }
    }

    @Test
    void sumOfManyEqualNumbersKeepsItsDigits() {
        Tensor tenths = Tensor.full(Shape.of(1 << 20), DType.F32, 0.1f);
        assertNear(Arithmetic.sum(tenths), (1 << 20) * (double) 0.1f);
    }

    @Test
    void sumOfNothingIsZero() {
        assertValues(Arithmetic.sum(Tensor.zeros(Shape.of(0, 3), DType.F32)), 0);
        assertThatThrownBy(() -> Arithmetic.mean(Tensor.zeros(Shape.of(0, 3), DType.F32)))
                .isInstanceOf(ShapeException.class)
                .hasMessage("mean: the input must have at least one element: input=[0, 3]");
    }

    @ParameterizedTest(name = "{0} to {1}")
    @CsvSource({
        "2x3x4, 2x3x4",
        "2x3x4, 4",
        "2x3x4, 3x4",
        "2x3x4, 2x1x4",
        "2x3x4, 1x3x1",
        "2x3x4, 2x3x1",
        "2x3x4, 1",
        "2x3x4, scalar",
        "257x33, 33",
        "33x257, 33x1",
        "5x7x11x17, 17",
        "5x7x11x17, 5x1x1x17"
    })
    void sumToAddsUpTheMissingDimensions(String from, String to) {
        Shape shape = parse(from);
        double[] values = new double[(int) shape.elementCount()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (i * 7919 % 1000 - 500) / 512.0;
        }
        Tensor out = Tensor.full(parse(to), DType.F32, Double.NaN);
        backend.sumTo(Tensors.of(DType.F32, shape, values), out);
        TensorAssert.assertClose(
                "sum",
                out.shape(),
                out.toDoubleArray(),
                sums(values, shape, out.shape()),
                Tolerance.of(DType.F32, 100));
    }

    /** By coordinates: an independent definition. */
    private static double[] sums(double[] values, Shape from, Shape to) {
        double[] sums = new double[(int) to.elementCount()];
        int[] at = new int[from.rank()];
        for (double value : values) {
            int index = 0;
            for (int d = 0; d < to.rank(); d++) {
                index = index * to.dim(d) + (to.dim(d) == 1 ? 0 : at[from.rank() - to.rank() + d]);
            }
            sums[index] += value;
            for (int d = from.rank() - 1; d >= 0 && ++at[d] == from.dim(d); d--) {
                at[d] = 0;
            }
        }
        return sums;
    }

    @Test
    void addInPlaceAccumulates() {
        Tensor sum = Tensor.of(new float[] {1, 2, 3}, 3);
        backend.addInPlace(sum, Tensor.of(new float[] {10, 20, 30}, 3));
        assertValues(sum, 11, 22, 33);
    }

    @Test
    void finiteMeansNeitherNaNNorInfinity() {
        float[] values = new float[1003];
        assertThat(backend.isFinite(Tensor.of(values, 1003))).isTrue();
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            for (int at : new int[] {0, 500, 1002}) {
                values[at] = bad;
                assertThat(backend.isFinite(Tensor.of(values, 1003))).isFalse();
                values[at] = Float.MAX_VALUE;
            }
        }
        assertThat(backend.isFinite(Tensor.of(values, 1003))).isTrue();
    }

    @Test
    void wrongShapesSayWhatMustHold() {
        Tensor a = Tensor.zeros(Shape.of(2, 3), DType.F32);
        Tensor b = Tensor.zeros(Shape.of(2, 2), DType.F32);
        assertThatThrownBy(() -> Arithmetic.add(a, b))
                .isInstanceOf(ShapeException.class)
                .hasMessage("add: shapes must be equal or broadcast (aligned at the last dimension, sizes equal or 1):"
                        + " a=[2, 3], b=[2, 2]");
        assertThatThrownBy(() -> Arithmetic.matmul(a, a))
                .isInstanceOf(ShapeException.class)
                .hasMessage("matmul: columns of a must equal rows of b: a=[2, 3], b=[2, 3]");
        Tensor vector = Tensor.zeros(Shape.of(3), DType.F32);
        assertThatThrownBy(() -> Arithmetic.matmul(a, vector)).hasMessage("matmul: b must be [K, N]: b=[3]");
        Tensor f64 = Tensor.empty(Shape.of(2, 3), DType.F64);
        assertThatThrownBy(() -> Arithmetic.mul(a, f64))
                .isInstanceOf(DTypeException.class)
                .hasMessage("mul: dtypes must be equal: " + a + ", " + f64 + " (cast one of them)");
    }
}
