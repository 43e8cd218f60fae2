package tenon.engine.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static tenon.engine.testing.TensorAssert.assertNear;
import static tenon.engine.testing.TensorAssert.assertValues;

import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.Tensor;
import tenon.engine.backend.OpKind;
import tenon.engine.testing.BackendContract;
import tenon.engine.testing.Input;
import tenon.engine.testing.OpCase;
import tenon.engine.testing.Tensors;

abstract class ActivationContract extends BackendContract {
    static Stream<Activation> activations() {
        return Stream.of(
                Activation.RELU,
                Activation.RELU6,
                Activation.leakyRelu(0.25f),
                Activation.leakyRelu(0),
                Activation.elu(1),
                Activation.elu(0.25f),
                Activation.SIGMOID,
                Activation.TANH);
    }

    /** Values from −8 to 8, none within 0.05 of the kinks at 0 and 6. */
    private static Input spread(int... dims) {
        return Input.random(dims).mapped(x -> {
            double value = 8 * x;
            return Math.abs(value) < 0.05 || Math.abs(value - 6) < 0.05 ? value + 0.2 : value;
        });
    }

    @ParameterizedTest
    @MethodSource("activations")
    void gradientsAreRight(Activation activation) {
        OpKind kind = OpKind.valueOf(activation.kind().name());
        verify(new OpCase(kind, 8, in -> Activations.activate(in[0], activation), spread(2, 3, 4)));
    }

    @ParameterizedTest
    @MethodSource("activations")
    void uglySizesAreRight(Activation activation) {
        OpKind kind = OpKind.valueOf(activation.kind().name());
        for (int size : new int[] {1, 7, 15, 16, 17, 31, 32, 33, 100_003}) {
            compare(new OpCase(kind, 8, in -> Activations.activate(in[0], activation), spread(size)));
        }
        compare(new OpCase(kind, 8, in -> Activations.activate(in[0], activation), spread(2, 5, 3, 17)));
        compare(new OpCase(kind, 8, in -> Activations.activate(in[0], activation), spread(0, 4)));
        compare(new OpCase(kind, 8, in -> Activations.activate(in[0], activation), spread()));
    }

    @Test
    void valuesByHand() {
        Tensor x = Tensor.of(new float[] {-2, 0, 3, 8}, 4);
        assertNear(Activations.relu(x), 0, 0, 3, 8);
        assertNear(Activations.relu6(x), 0, 0, 3, 6);
        assertNear(Activations.leakyRelu(x, 0.25f), -0.5, 0, 3, 8);
        assertNear(Activations.elu(x, 0.5f), 0.5 * (Math.exp(-2) - 1), 0, 3, 8);
        assertNear(Activations.sigmoid(x), 1 / (1 + Math.exp(2)), 0.5, 1 / (1 + Math.exp(-3)), 1 / (1 + Math.exp(-8)));
        assertNear(Activations.tanh(x), Math.tanh(-2), 0, Math.tanh(3), Math.tanh(8));
        assertThat(Activations.activate(x, Activation.NONE)).isSameAs(x);
    }

    /** 0.25 is MXNet's default, 1 is Keras's. */
    @ParameterizedTest
    @CsvSource({
        "0.25, -0.5, -0.098367, 0.151633",
        "0.25, -1, -0.158030, 0.091970",
        "0.25, -2, -0.216166, 0.033834",
        "0.25, 0.5, 0.5, 1",
        "1, -1, -0.632121, 0.367879",
    })
    void eluByHand(float alpha, double x, double value, double slope) {
        Tensor input = Tensors.leaf(new double[] {x}, 1);
        Tensor output = Activations.elu(input, alpha);
        output.backward(Tensor.of(new float[] {1}, 1));
        assertThat((double) output.toFloatArray()[0]).isCloseTo(value, within(1e-6));
        assertThat((double) input.grad().toFloatArray()[0]).isCloseTo(slope, within(1e-6));
    }

    @Test
    void gradientsAtTheKinks() {
        assertValues(gradient(Activation.RELU, 0), 0);
        assertValues(gradient(Activation.RELU6, 0), 0);
        assertValues(gradient(Activation.RELU6, 6), 0);
        assertValues(gradient(Activation.leakyRelu(0.25f), 0), 0.25);
        assertValues(gradient(Activation.elu(0.5f), 0), 0.5);
    }

    @Test
    void farValuesStayFinite() {
        Tensor x = Tensor.of(new float[] {-200, 200}, 2);
        assertNear(Activations.sigmoid(x), 0, 1);
        assertNear(Activations.tanh(x), -1, 1);
        assertNear(Activations.elu(x, 1), -1, 200);
        assertNear(gradient(Activation.SIGMOID, 200), 0);
        assertValues(gradient(Activation.TANH, -200), 0);
    }

    private static Tensor gradient(Activation activation, double at) {
        Tensor x = Tensors.leaf(new double[] {at}, 1);
        Activations.activate(x, activation).backward(Tensor.of(new float[] {1}, 1));
        return x.grad();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 16, 17, 33})
    void preluIsRight(int channels) {
        Input slope = Input.random(channels).statistic();
        OpCase small = new OpCase(
                OpKind.PRELU,
                16,
                in -> Activations.prelu(in[0], in[1]),
                Input.random(2, 2, channels).awayFromZero(0.05),
                slope);
        verify(small);
        OpCase large = new OpCase(
                OpKind.PRELU,
                1000,
                in -> Activations.prelu(in[0], in[1]),
                Input.random(5, 11, 7, channels).awayFromZero(0.05),
                slope);
        compare(large);
        compare(new OpCase(large.kind(), 1000, large.op(), large.inputs()[0].constant(), slope));
        compare(new OpCase(large.kind(), 1000, large.op(), large.inputs()[0], slope.constant()));
    }

    @Test
    void preluByHand() {
        Tensor x = Tensors.leaf(new double[] {-2, -2, 4, 0}, 2, 2);
        Tensor slope = Tensors.leaf(new double[] {0.5, 3}, 2);
        Tensor y = Activations.prelu(x, slope);
        y.backward(Tensor.of(new float[] {1, 2, 4, 8}, 2, 2));
        assertNear(y, -1, -6, 4, 0);
        assertNear(x.grad(), 0.5, 6, 4, 24);
        assertNear(slope.grad(), -2, -4);
    }

    @ParameterizedTest
    @MethodSource("activations")
    void additionWithActivationIsRight(Activation activation) {
        verify(sum(activation, 2, 3, 4));
        IntStream.of(1, 17, 31, 32, 33, 10_007).forEach(size -> compare(sum(activation, size)));
    }

    @Test
    void additionWithoutActivationIsPlain() {
        verify(sum(Activation.NONE, 2, 3));
        compare(sum(Activation.NONE, 3, 5, 33));
    }

    /** The sum of a and b stays away from the kinks: b is at most 0.5, a at least 0.6 away from 0. */
    private static OpCase sum(Activation activation, int... dims) {
        return new OpCase(
                OpKind.ADD_ACTIVATION,
                8,
                in -> Activations.addActivation(in[0], in[1], activation),
                Input.random(dims).awayFromZero(0.6),
                Input.random(dims).mapped(x -> x / 2));
    }

    @Test
    void additionOfFrozenBranchLeavesItWithoutGradient() {
        Tensor a = Tensors.leaf(new double[] {1, -3}, 2);
        Tensor frozen = Tensor.of(new float[] {1, 1}, 2);
        Activations.addActivation(a, frozen, Activation.RELU).backward(Tensor.of(new float[] {5, 5}, 2));
        assertNear(a.grad(), 5, 0);
        assertThat(frozen.grad()).isNull();
    }

    @Test
    void wrongShapesSayWhatMustHold() {
        Tensor a = Tensor.zeros(Shape.of(2, 3), DType.F32);
        Tensor b = Tensor.zeros(Shape.of(3), DType.F32);
        assertThatThrownBy(() -> Activations.addActivation(a, b, Activation.RELU))
                .isInstanceOf(ShapeException.class)
                .hasMessage("add_activation: shapes must be equal: [2, 3], [3]");
        Tensor slope = Tensor.zeros(Shape.of(2), DType.F32);
        assertThatThrownBy(() -> Activations.prelu(a, slope))
                .isInstanceOf(ShapeException.class)
                .hasMessage("prelu: slope must be [3]: slope=[2]");
    }
}
