package tenon.engine.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static tenon.engine.testing.TensorAssert.assertValues;

import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
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

abstract class ChannelContract extends BackendContract {
    private static OpCase concat(Shape outer, int... channels) {
        Input[] inputs = Arrays.stream(channels)
                .mapToObj(c -> Input.random(outer.withDim(-1, c)))
                .toArray(Input[]::new);
        return new OpCase(OpKind.CONCAT, 1, Channels::concat, inputs);
    }

    /** The first part is multiplied into the second, so that the order matters. */
    private static OpCase split(Shape outer, int size) {
        return new OpCase(
                OpKind.CONCAT,
                1,
                in -> {
                    Tensor[] parts = Channels.split(in[0], size, 0, size);
                    return Arithmetic.mul(parts[0], parts[2]);
                },
                Input.random(outer.withDim(-1, 2 * size)));
    }

    @Test
    void concatenationIsRight() {
        verify(concat(Shape.of(2, 2, 1, 1), 1, 3, 2));
        verify(concat(Shape.of(3, 1), 2));
        verify(concat(Shape.of(1), 2, 1));
        compare(concat(Shape.of(2, 5, 7, 1), 17, 1, 33, 31));
        compare(concat(Shape.of(1, 9, 9, 1), 64, 128, 32, 32));
        compare(concat(Shape.of(0, 1), 3, 4));
    }

    static Stream<Activation> activations() {
        return Stream.of(
                Activation.RELU,
                Activation.RELU6,
                Activation.leakyRelu(0.1f),
                Activation.elu(0.25f),
                Activation.SIGMOID,
                Activation.TANH);
    }

    private static OpCase activated(Activation activation, Shape outer, int... channels) {
        Input[] inputs = Arrays.stream(channels)
                .mapToObj(c -> Input.random(outer.withDim(-1, c)).awayFromZero(0.05))
                .toArray(Input[]::new);
        return new OpCase(OpKind.CONCAT, 1, in -> Channels.concat(activation, in), inputs);
    }

    @ParameterizedTest
    @MethodSource("activations")
    void activatedConcatenationIsRight(Activation activation) {
        verify(activated(activation, Shape.of(2, 2, 1, 1), 1, 3, 2));
        compare(activated(activation, Shape.of(2, 5, 7, 1), 17, 1, 33, 31));
        compare(activated(activation, Shape.of(1, 19, 19, 1), 64, 48));
        compare(activated(activation, Shape.of(0, 1), 3, 4));
    }

    /** Two branches with one activation, a copied one, and two more with others. */
    @Test
    void activationsOfSeveralKindsAreRight() {
        for (int channels : new int[] {3, 40}) {
            Input x = Input.random(2, 5, 3, channels).awayFromZero(0.05);
            verify(new OpCase(
                    OpKind.CONCAT,
                    1,
                    in -> Channels.join(
                            ConcatBranch.activated(in[0], Activation.RELU),
                            ConcatBranch.activated(in[1], Activation.RELU),
                            ConcatBranch.of(in[2]),
                            ConcatBranch.activated(in[3], Activation.RELU),
                            ConcatBranch.activated(in[4], Activation.leakyRelu(0.1f))),
                    x,
                    x,
                    x,
                    x,
                    x));
        }
    }

    /** A copied, two normalized and an activated branch. */
    private static OpCase mixed(Shape outer, int channels, boolean training) {
        BatchNormSpec norm = new BatchNormSpec(0.5, 0.1, false, true, Activation.NONE);
        BatchNormSpec frozen = new BatchNormSpec(0.5, 0.1, true, true, Activation.RELU);
        Input x = Input.random(outer.withDim(-1, channels));
        Input perChannel = Input.random(channels).statistic();
        return new OpCase(
                OpKind.CONCAT,
                2 * outer.elementCount(),
                in -> Channels.join(
                        ConcatBranch.of(in[0]),
                        ConcatBranch.normalized(in[1], in[2], in[3], in[4], in[5], norm, training),
                        ConcatBranch.activated(in[6], Activation.elu(0.5f)),
                        ConcatBranch.normalized(in[7], null, in[8], in[4], in[5], frozen, training)),
                x,
                x,
                perChannel,
                perChannel,
                perChannel.constant(),
                perChannel.mapped(v -> 1.5 + v).constant(),
                x.awayFromZero(0.05),
                x,
                perChannel);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void normalizedConcatenationIsRight(boolean training) {
        verify(mixed(Shape.of(2, 3, 2, 1), 3, training));
        for (int channels : new int[] {1, 17, 64}) {
            compare(mixed(Shape.of(2, 13, 11, 1), channels, training));
            compare(mixed(Shape.of(3, 1), channels, training));
        }
        compare(mixed(Shape.of(2, 37, 33, 1), 48, training));
    }

    @Test
    void nanIsKept() {
        for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
            if (backend.supports(OpKind.CONCAT, dtype)) {
                for (int channels : new int[] {3, 35}) {
                    double[] values = new double[channels];
                    values[1] = Double.NaN;
                    values[2] = 1;
                    Tensor x = Tensors.of(dtype, Shape.of(1, channels), values);
                    float[] joined = Channels.concat(Activation.RELU, x, x).toFloatArray();
                    assertThat(joined[channels + 1]).isNaN();
                    assertThat(joined[channels + 2]).isEqualTo(1);
                }
            }
        }
    }

    @Test
    void splittingIsRight() {
        verify(split(Shape.of(2, 2, 1), 3));
        compare(split(Shape.of(3, 7, 5, 1), 17));
        compare(split(Shape.of(2, 3, 3, 1), 32));
    }

    @Test
    void concatByHand() {
        Tensor a = Tensors.leaf(new double[] {1, 2}, 2, 1);
        Tensor b = Tensors.leaf(new double[] {3, 4, 5, 6}, 2, 2);
        Tensor joined = Channels.concat(a, b, a);
        joined.backward(Tensor.of(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 2, 4));
        assertValues(joined, 1, 3, 4, 1, 2, 5, 6, 2);
        assertValues(a.grad(), 5, 13);
        assertValues(b.grad(), 2, 3, 6, 7);
    }

    @Test
    void splitByHand() {
        Tensor x = Tensors.leaf(new double[] {1, 2, 3, 4, 5, 6}, 2, 3);
        Tensor[] parts = Channels.split(x, 1, 2);
        assertValues(parts[0], 1, 4);
        assertValues(parts[1], 2, 3, 5, 6);
        parts[1].backward(Tensor.of(new float[] {1, 2, 3, 4}, 2, 2));
        assertValues(x.grad(), 0, 1, 2, 0, 3, 4);
    }

    @Test
    void copyLeavesOtherChannelsAlone() {
        Tensor from = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        Tensor to = Tensor.full(Shape.of(2, 4), DType.F32, 9);
        backend.channels().copy(from, 1, to, 2, 1);
        assertValues(to, 9, 9, 2, 9, 9, 9, 5, 9);
    }

    @ParameterizedTest
    @EnumSource(
            value = Activation.Kind.class,
            names = {"NONE", "RELU"})
    void frozenInputsGetNoGradient(Activation.Kind kind) {
        Tensor a = Tensors.leaf(new double[] {1}, 1, 1);
        Tensor frozen = Tensor.of(new float[] {2}, 1, 1);
        Tensor b = Tensors.leaf(new double[] {1, 2}, 1, 2);
        Tensor joined = Channels.concat(new Activation(kind, 0), frozen, a, b, frozen, b);
        joined.backward(Tensor.of(new float[] {3, 4, 5, 6, 7, 8, 9}, 1, 7));
        assertValues(a.grad(), 4);
        assertValues(b.grad(), 13, 15);
        assertThat(frozen.grad()).isNull();
    }

    @Test
    void wrongShapesSayWhatMustHold() {
        Tensor a = Tensor.zeros(Shape.of(2, 3), DType.F32);
        Tensor b = Tensor.zeros(Shape.of(1, 3), DType.F32);
        assertThatThrownBy(() -> Channels.concat(a, b))
                .isInstanceOf(ShapeException.class)
                .hasMessage("concat: all but the last dimension must be equal: [2, 3], [1, 3]");
        assertThatThrownBy(Channels::concat).hasMessage("concat: at least one input is needed");
        assertThatThrownBy(() -> Channels.split(a, 1, 1))
                .isInstanceOf(ShapeException.class)
                .hasMessage("split: sizes must add up to the last dimension: input=[2, 3], sum of sizes=2");
        assertThatThrownBy(() -> Channels.split(a, 4, -1))
                .isInstanceOf(ShapeException.class)
                .hasMessage("split: sizes must be at least 0: sizes=[4, -1]");
        Tensor scalar = Tensor.zeros(Shape.scalar(), DType.F32);
        assertThatThrownBy(() -> Channels.concat(scalar, scalar))
                .isInstanceOf(ShapeException.class)
                .hasMessage("concat: all but the last dimension must be equal: [], []");
        assertThatThrownBy(() -> Channels.split(scalar, 1))
                .isInstanceOf(ShapeException.class)
                .hasMessage("split: sizes must add up to the last dimension: input=[], sum of sizes=1");
    }
}
