package tenon.engine.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static tenon.engine.testing.TensorAssert.assertIdentical;
import static tenon.engine.testing.TensorAssert.assertNear;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.OpKind;
import tenon.engine.testing.BackendContract;
import tenon.engine.testing.Input;
import tenon.engine.testing.OpCase;

/** Dropout and the random fills. */
abstract class DropoutContract extends BackendContract {
    private static OpCase dropout(double rate, int... dims) {
        return new OpCase(
                OpKind.DROPOUT,
                1,
                in -> {
                    Generator.current().manualSeed(7);
                    return Dropout.dropout(in[0], rate);
                },
                Input.random(dims).awayFromZero(0.1));
    }

    @Test
    void gradientsAreRight() {
        verify(dropout(0.5, 4, 5));
        verify(dropout(0.1, 33));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 31, 32, 33, 1001, 100_003})
    void uglySizesAreRight(int size) {
        compare(dropout(0.3, size));
        compare(dropout(0.8, size));
    }

    @Test
    void elementIVanishesWhereDrawIIsBelowTheRate() {
        Generator.current().manualSeed(5);
        Generator.current().beginStep(3);
        Tensor x = Tensor.full(Shape.of(1000), DType.F32, 2).requireGrad(true);
        Tensor y = Dropout.dropout(x, 0.25);
        y.backward(Tensor.full(Shape.of(1000), DType.F32, 3));
        Rng rng = new Rng(5, 0, 3);
        double[] expected = new double[1000];
        double[] expectedGradient = new double[1000];
        for (int i = 0; i < expected.length; i++) {
            expected[i] = rng.uniform(i) < 0.25 ? 0 : 2 / 0.75;
            expectedGradient[i] = rng.uniform(i) < 0.25 ? 0 : 3 / 0.75;
        }
        assertNear(y, expected);
        assertNear(x.grad(), expectedGradient);
    }

    @Test
    void everyCallDrawsAnewAndEveryRunTheSame() {
        Tensor x = Tensor.full(Shape.of(256), DType.F32, 1);
        Generator.current().manualSeed(11);
        double[] first = Dropout.dropout(x, 0.5).toDoubleArray();
        double[] second = Dropout.dropout(x, 0.5).toDoubleArray();
        Generator.current().beginStep(1);
        double[] nextStep = Dropout.dropout(x, 0.5).toDoubleArray();
        assertThat(second).isNotEqualTo(first);
        assertThat(nextStep).isNotEqualTo(first).isNotEqualTo(second);
        Generator.current().manualSeed(11);
        assertThat(Dropout.dropout(x, 0.5).toDoubleArray()).isEqualTo(first);
        Generator.current().manualSeed(12);
        assertThat(Dropout.dropout(x, 0.5).toDoubleArray()).isNotEqualTo(first);
    }

    @Test
    void keepsTheMean() {
        Generator.current().manualSeed(1);
        Tensor x = Tensor.full(Shape.of(100_000), DType.F32, 1);
        // Standard deviation of the mean: sqrt(0.3 / 0.7 / 100000) = 0.002.
        assertThat(Arithmetic.mean(Dropout.dropout(x, 0.3)).item()).isCloseTo(1, within(0.01));
    }

    @Test
    void rateZeroIsTheInput() {
        Tensor x = Tensor.full(Shape.of(3), DType.F32, 1);
        assertThat(Dropout.dropout(x, 0)).isSameAs(x);
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, 1, Double.NaN})
    void refusesOtherRates(double rate) {
        Tensor x = Tensor.full(Shape.of(3), DType.F32, 1);
        assertThatThrownBy(() -> Dropout.dropout(x, rate))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("dropout: rate must lie in [0, 1): rate=" + rate);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 31, 1003})
    void randomFillsAreTheSameBitsEverywhere(int size) {
        assertIdentical("uniform", fill(backend, size, true), fill(reference, size, true));
        assertIdentical("normal", fill(backend, size, false), fill(reference, size, false));
    }

    private static double[] fill(Backend on, int size, boolean uniform) {
        try (var _ = Scope.open("fill", on)) {
            Tensor tensor = Tensor.empty(Shape.of(size), DType.F32);
            Rng rng = new Rng(3, 4, 5);
            if (uniform) {
                on.random().uniform(tensor, -2, 5, rng);
            } else {
                on.random().normal(tensor, 1, 0.5, rng);
            }
            return tensor.toDoubleArray();
        }
    }

    @Test
    void fillsHaveTheMomentsTheyPromise() {
        int n = 100_000;
        Tensor tensor = Tensor.empty(Shape.of(n), DType.F32);
        backend.random().uniform(tensor, -2, 4, new Rng(1, 1, 1));
        double[] uniform = tensor.toDoubleArray();
        assertThat(Arrays.stream(uniform).allMatch(x -> x >= -2 && x < 4)).isTrue();
        assertThat(mean(uniform, 0)).isCloseTo(1, within(0.03));
        assertThat(mean(uniform, 1)).isCloseTo(3, within(0.05));
        backend.random().normal(tensor, -3, 2, new Rng(1, 1, 1));
        double[] normal = tensor.toDoubleArray();
        assertThat(mean(normal, 0)).isCloseTo(-3, within(0.03));
        assertThat(mean(normal, -3)).isCloseTo(4, within(0.1));
    }

    /** Mean, or around a non-zero centre the mean square. */
    private static double mean(double[] values, double centre) {
        double sum = 0;
        for (double value : values) {
            sum += centre == 0 ? value : (value - centre) * (value - centre);
        }
        return sum / values.length;
    }
}
