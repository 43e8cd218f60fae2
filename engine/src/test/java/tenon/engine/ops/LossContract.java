package tenon.engine.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static tenon.engine.testing.TensorAssert.assertNear;

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
import tenon.engine.testing.Tensors;

abstract class LossContract extends BackendContract {
    private static Input logits(int... dims) {
        return Input.random(dims).mapped(x -> 5 * x);
    }

    private static Input labels(int rows, int classes) {
        int[] labels = new int[rows];
        for (int i = 0; i < rows; i++) {
            labels[i] = i * 31 % classes;
        }
        return Input.indices(labels);
    }

    private static OpCase crossEntropy(int rows, int classes, Input target, double smoothing) {
        return new OpCase(
                OpKind.SOFTMAX_CROSS_ENTROPY,
                Math.max(16, classes),
                in -> Losses.softmaxCrossEntropy(in[0], in[1], smoothing),
                logits(rows, classes),
                target);
    }

    @ParameterizedTest
    @CsvSource({"1,1", "1,2", "3,4", "4,3"})
    void gradientsAreRight(int rows, int classes) {
        Input probabilities =
                Input.random(rows, classes).mapped(Math::abs).constant().statistic();
        verify(crossEntropy(rows, classes, labels(rows, classes), 0));
        verify(crossEntropy(rows, classes, labels(rows, classes), 0.25));
        verify(crossEntropy(rows, classes, probabilities, 0));
        verify(crossEntropy(rows, classes, probabilities, 0.25));
        verify(pair(OpKind.SIGMOID_CROSS_ENTROPY, rows, classes));
        verify(pair(OpKind.MSE, rows, classes));
        verify(new OpCase(OpKind.SOFTMAX, 16, in -> Losses.softmax(in[0]), logits(rows, classes)));
    }

    @ParameterizedTest
    @CsvSource({"1,1000", "31,10", "33,17", "2,33", "64,32", "257,3"})
    void uglySizesAreRight(int rows, int classes) {
        Input probabilities =
                Input.random(rows, classes).mapped(Math::abs).constant().statistic();
        compare(crossEntropy(rows, classes, labels(rows, classes), 0));
        compare(crossEntropy(rows, classes, labels(rows, classes), 0.1));
        compare(crossEntropy(rows, classes, probabilities, 0.1));
        compare(pair(OpKind.SIGMOID_CROSS_ENTROPY, rows, classes));
        compare(pair(OpKind.MSE, rows, classes));
        compare(new OpCase(OpKind.SOFTMAX, 32, in -> Losses.softmax(in[0]), logits(rows, classes)));
    }

    private static OpCase pair(OpKind kind, int rows, int classes) {
        Input target = Input.random(rows, classes).mapped(Math::abs).constant().statistic();
        return new OpCase(
                kind,
                32,
                in -> kind == OpKind.MSE
                        ? Losses.meanSquaredError(in[0], in[1])
                        : Losses.sigmoidCrossEntropy(in[0], in[1]),
                logits(rows, classes),
                target);
    }

    @Test
    void softmaxOfAnyRankIsRight() {
        verify(new OpCase(OpKind.SOFTMAX, 16, in -> Losses.softmax(in[0]), logits(5)));
        verify(new OpCase(OpKind.SOFTMAX, 16, in -> Losses.softmax(in[0]), logits(2, 2, 3)));
        compare(new OpCase(OpKind.SOFTMAX, 16, in -> Losses.softmax(in[0]), logits(2, 7, 3, 21)));
    }

    @Test
    void softmaxByHand() {
        Tensor x = Tensors.leaf(new double[] {0, Math.log(3)}, 1, 2);
        Tensor y = Losses.softmax(x);
        y.backward(Tensor.of(new float[] {1, 0}, 1, 2));
        assertNear(y, 0.25, 0.75);
        assertNear(x.grad(), 0.1875, -0.1875);
    }

    @Test
    void crossEntropyByHand() {
        Tensor x = Tensors.leaf(new double[] {0, Math.log(3), 0, 0}, 2, 2);
        Tensor loss = Losses.softmaxCrossEntropy(x, Tensor.of(new int[] {1, 0}, 2));
        loss.backward();
        assertNear(loss, (-Math.log(0.75) + Math.log(2)) / 2);
        assertThat(loss.shape()).isEqualTo(Shape.scalar());
        assertNear(x.grad(), 0.125, -0.125, -0.25, 0.25);
    }

    /** The loss of a network that knows nothing. */
    @ParameterizedTest
    @CsvSource({"2, 0.693147", "10, 2.302585", "1000, 6.907755"})
    void equalLogitsCostTheLogarithmOfTheNumberOfClasses(int classes, double loss) {
        Tensor x = Tensor.full(Shape.of(2, classes), DType.F32, 3);
        Tensor labels = Tensor.of(new int[] {0, classes - 1}, 2);
        assertThat(Losses.softmaxCrossEntropy(x, labels).item()).isCloseTo(loss, within(2e-6));
    }

    /** A batch that holds every sample twice has the same mean, and its gradient is shared out. */
    @Test
    void theLossDoesNotGrowWithTheBatch() {
        double[] once = {1, -2, 0.5, 0, 3, -1};
        double[] twice = {1, -2, 0.5, 0, 3, -1, 1, -2, 0.5, 0, 3, -1};
        Tensor small = Tensors.leaf(once, 2, 3);
        Tensor large = Tensors.leaf(twice, 4, 3);
        Tensor loss = Losses.softmaxCrossEntropy(small, Tensor.of(new int[] {2, 1}, 2));
        loss.backward();
        Tensor other = Losses.softmaxCrossEntropy(large, Tensor.of(new int[] {2, 1, 2, 1}, 4));
        other.backward();
        assertNear(other, loss.item());
        double[] gradient = small.grad().toDoubleArray();
        double[] halves = new double[12];
        for (int i = 0; i < halves.length; i++) {
            halves[i] = gradient[i % 6] / 2;
        }
        assertNear(large.grad(), halves);
    }

    /** In value and gradient: with two classes both of these losses train the same network. */
    @Test
    void ofTwoClassesItIsTheBinaryCrossEntropyOfTheirProbabilities() {
        double[] logits = {0.3, -1.2, 2, 0.5, -0.7, 0.4};
        int[] labels = {0, 1, 1};
        Tensor x = Tensors.leaf(logits, 3, 2);
        Tensor loss = Losses.softmaxCrossEntropy(x, Tensor.of(labels, 3));
        loss.backward();
        assertThat(loss.item()).isCloseTo(binaryCrossEntropy(logits, labels), within(1e-6));
        double[] gradient = x.grad().toDoubleArray();
        for (int i = 0; i < logits.length; i++) {
            double[] up = logits.clone();
            double[] down = logits.clone();
            up[i] += 1e-5;
            down[i] -= 1e-5;
            assertThat(gradient[i])
                    .isCloseTo(
                            (binaryCrossEntropy(up, labels) - binaryCrossEntropy(down, labels)) / 2e-5, within(1e-6));
        }
    }

    /** Mean over rows and over both outputs of −t·ln p − (1 − t)·ln (1 − p). */
    private static double binaryCrossEntropy(double[] logits, int[] labels) {
        double sum = 0;
        for (int row = 0; row < labels.length; row++) {
            double first = Math.exp(logits[2 * row]);
            double second = Math.exp(logits[2 * row + 1]);
            double[] p = {first / (first + second), second / (first + second)};
            for (int c = 0; c < 2; c++) {
                sum -= c == labels[row] ? Math.log(p[c]) : Math.log(1 - p[c]);
            }
        }
        return sum / (2 * labels.length);
    }

    @Test
    void smoothingMovesTheTargetTowardsUniform() {
        Tensor x = Tensors.leaf(new double[] {0, Math.log(3)}, 1, 2);
        Tensor loss = Losses.softmaxCrossEntropy(x, Tensor.of(new int[] {1}, 1), 0.2);
        loss.backward(Tensor.full(Shape.scalar(), DType.F32, 2));
        assertNear(loss, -0.1 * Math.log(0.25) - 0.9 * Math.log(0.75));
        assertNear(x.grad(), 0.3, -0.3);
    }

    @Test
    void hugeLogitsDoNotOverflow() {
        Tensor x = Tensors.leaf(new double[] {1000, 0, -1000, 0}, 2, 2);
        Tensor loss = Losses.softmaxCrossEntropy(x, Tensor.of(new int[] {1, 1}, 2));
        loss.backward();
        assertNear(loss, 500);
        assertNear(x.grad(), 0.5, -0.5, 0, 0);
        assertNear(Losses.softmax(x), 1, 0, 0, 1);
    }

    @Test
    void impossibleClassWithoutTargetCostsNothing() {
        Tensor x = Tensor.of(new float[] {0, Float.NEGATIVE_INFINITY}, 1, 2);
        assertNear(Losses.softmaxCrossEntropy(x, Tensor.of(new int[] {0}, 1)), 0);
        assertNear(Losses.softmaxCrossEntropy(x, Tensor.of(new float[] {1, 0}, 1, 2)), 0);
    }

    @Test
    void sigmoidCrossEntropyByHand() {
        Tensor x = Tensors.leaf(new double[] {0, Math.log(3)}, 1, 2);
        Tensor loss = Losses.sigmoidCrossEntropy(x, Tensor.of(new float[] {1, 0.25f}, 1, 2));
        loss.backward();
        assertNear(loss, (Math.log(2) - 0.25 * Math.log(0.75) - 0.75 * Math.log(0.25)) / 2);
        assertNear(x.grad(), -0.25, 0.25);
        Tensor far = Tensor.of(new float[] {200, -200}, 2, 1);
        assertNear(Losses.sigmoidCrossEntropy(far, Tensor.of(new float[] {0, 0}, 2, 1)), 100);
    }

    @Test
    void meanSquaredErrorByHand() {
        Tensor x = Tensors.leaf(new double[] {1, 2, 3, 4}, 2, 2);
        Tensor loss = Losses.meanSquaredError(x, Tensor.of(new float[] {1, 0, 0, 8}, 2, 2));
        loss.backward();
        assertNear(loss, 29 / 4.0);
        assertNear(x.grad(), 0, 1, 1.5, -2);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 3, Integer.MIN_VALUE, Integer.MAX_VALUE})
    void badClassIndexIsNamed(int index) {
        Tensor x = Tensor.zeros(Shape.of(4, 3), DType.F32);
        Tensor labels = Tensor.of(new int[] {0, 2, index, index}, 4);
        assertThatThrownBy(() -> Losses.softmaxCrossEntropy(x, labels))
                .isInstanceOf(ShapeException.class)
                .hasMessage("softmax_cross_entropy: class indices must lie in [0, 3): row=2, index=" + index);
    }

    @Test
    void wrongArgumentsSayWhatMustHold() {
        Tensor x = Tensor.zeros(Shape.of(2, 3), DType.F32);
        Tensor labels = Tensor.of(new int[] {0, 1}, 2);
        assertThatThrownBy(() -> Losses.softmaxCrossEntropy(x, Tensor.of(new int[] {0}, 1)))
                .isInstanceOf(ShapeException.class)
                .hasMessage("softmax_cross_entropy: target must be [2]: target=[1]");
        assertThatThrownBy(() -> Losses.softmaxCrossEntropy(x, labels, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("softmax_cross_entropy: smoothing must lie in [0, 1): smoothing=1.0");
        assertThatThrownBy(() -> Losses.softmaxCrossEntropy(x, labels, Double.NaN))
                .hasMessageContaining("smoothing=NaN");
        assertThatThrownBy(() -> Losses.softmaxCrossEntropy(labels, labels)).isInstanceOf(RuntimeException.class);
        Tensor empty = Tensor.zeros(Shape.of(0, 3), DType.F32);
        assertThatThrownBy(() -> Losses.softmaxCrossEntropy(empty, Tensor.of(new int[0], 0)))
                .isInstanceOf(ShapeException.class)
                .hasMessage("softmax_cross_entropy: a mean needs at least one element: shape=[0, 3]");
        assertThatThrownBy(() -> Losses.meanSquaredError(x, empty))
                .hasMessage("mean_squared_error: shapes must be equal: [2, 3], [0, 3]");
        Tensor doubles = Tensor.empty(Shape.of(2, 3), DType.F64);
        assertThatThrownBy(() -> Losses.sigmoidCrossEntropy(x, doubles)).isInstanceOf(DTypeException.class);
        assertThatThrownBy(() -> Losses.softmax(Tensor.zeros(Shape.scalar(), DType.F32)))
                .hasMessage("softmax: input must have a last dimension: input=[]");
    }
}
