package tenon.engine.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.reference.ReferenceBackend;

class TensorAssertTest {
    private static final Tolerance LOOSE = new Tolerance(0.5, 0.1);

    @Test
    void acceptsUpToAbsolutePlusRelativeTolerance() {
        assertThat(LOOSE.accepts(11.5, 10)).isTrue();
        assertThat(LOOSE.accepts(11.6, 10)).isFalse();
        assertThat(LOOSE.accepts(8.5, 10)).isTrue();
        assertThat(LOOSE.accepts(8.4, 10)).isFalse();
        assertThat(LOOSE.accepts(-11.5, -10)).isTrue();
        assertThat(LOOSE.accepts(10, -10)).isFalse();
    }

    @Test
    void neverAcceptsNaNNorAWrongInfinity() {
        double infinity = Double.POSITIVE_INFINITY;
        assertThat(LOOSE.accepts(Double.NaN, 1)).isFalse();
        assertThat(LOOSE.accepts(1, Double.NaN)).isFalse();
        assertThat(LOOSE.accepts(Double.NaN, Double.NaN)).isFalse();
        assertThat(LOOSE.accepts(infinity, infinity)).isTrue();
        assertThat(LOOSE.accepts(-infinity, infinity)).isFalse();
        assertThat(LOOSE.accepts(infinity, 1)).isFalse();
        assertThat(Tolerance.EXACT.accepts(Double.NaN, Double.NaN)).isFalse();
    }

    @Test
    void toleranceGrowsWithTheReduction() {
        assertThat(Tolerance.of(DType.F32, 1).relative()).isEqualTo(9 * 0x1.0p-23);
        assertThat(Tolerance.of(DType.F32, 92).relative()).isEqualTo(100 * 0x1.0p-23);
        assertThat(Tolerance.of(DType.F64, 92).relative()).isEqualTo(100 * 0x1.0p-52);
        assertThat(Tolerance.of(DType.I32, 92).relative()).isZero();
    }

    @Test
    void namesTheFirstMismatchesByCoordinates() {
        double[] expected = {0, 1, 2, 3, 4, 5};
        double[] actual = {0, 1, 2, 3, Double.NaN, 7};
        assertThatThrownBy(() ->
                        TensorAssert.assertClose("output", Shape.of(3, 2), actual, expected, new Tolerance(0.5, 0)))
                .isInstanceOf(AssertionError.class)
                .hasMessage("""
                    output [3, 2]: 2 of 6 elements differ by more than 0.5 + 0.0·|expected|:
                      [2, 0]: actual=NaN, expected=4.0
                      [2, 1]: actual=7.0, expected=5.0\
                    """);
    }

    @Test
    void printsFiveMismatchesOfMany() {
        assertThatThrownBy(() -> TensorAssert.assertClose(
                        "output", Shape.of(100), new double[100], filled(100, 1), Tolerance.EXACT))
                .hasMessageContaining("100 of 100 elements")
                .hasMessageContaining("[4]")
                .message()
                .doesNotContain("[5]");
    }

    @Test
    void comparesShapesBeforeValues() {
        try (var backend = ReferenceBackend.open();
                var _ = Scope.open("test", backend)) {
            Tensor row = Tensors.of(DType.F32, Shape.of(1, 3), 1, 2, 3);
            Tensor column = Tensors.of(DType.F32, Shape.of(3, 1), 1, 2, 3);
            assertThatThrownBy(() -> TensorAssert.assertClose(row, column, LOOSE))
                    .isInstanceOf(AssertionError.class)
                    .hasMessage("shapes must be equal: actual=[1, 3], expected=[3, 1]");
            assertThatThrownBy(() -> TensorAssert.assertValues(row, 1, 2))
                    .hasMessage("tensor: element counts must be equal: actual=3, expected=2, shape=[1, 3]");
            assertThatCode(() -> TensorAssert.assertValues(row, Shape.of(1, 3), Tolerance.EXACT, 1, 2, 3))
                    .doesNotThrowAnyException();
        }
    }

    @Test
    void identicalMeansTheSameBits() {
        double[] nan = {Double.NaN};
        assertThatCode(() -> TensorAssert.assertIdentical("x", nan, nan)).doesNotThrowAnyException();
        assertThatThrownBy(() -> TensorAssert.assertIdentical("x", new double[] {0.0}, new double[] {-0.0}))
                .hasMessage("x: element 0 must have the same bits: 0.0, -0.0");
    }

    private static double[] filled(int count, double value) {
        double[] values = new double[count];
        Arrays.fill(values, value);
        return values;
    }
}
