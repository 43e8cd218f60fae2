package tenon.engine.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static tenon.engine.testing.TensorAssert.assertNear;
import static tenon.engine.testing.TensorAssert.assertValues;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
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

abstract class DenseContract extends BackendContract {
    private static OpCase of(int batch, int in, int out, boolean withBias) {
        return of(OpKind.DENSE, Activation.NONE, batch, in, out, withBias);
    }

    /** @param kind the part of the op that fewest dtypes have */
    private static OpCase of(OpKind kind, Activation activation, int batch, int in, int out, boolean withBias) {
        return new OpCase(
                kind,
                Math.max(in, Math.max(batch, out)),
                t -> Dense.dense(t[0], t[1], t[2], activation),
                Input.random(batch, in),
                Input.random(out, in).statistic(),
                withBias ? Input.random(out).statistic() : null);
    }

    @ParameterizedTest
    @CsvSource({"1,1,1", "2,3,4", "5,1,2", "1,7,3", "3,4,1"})
    void gradientsAreRight(int batch, int in, int out) {
        verify(of(batch, in, out, true));
        verify(of(batch, in, out, false));
    }

    @ParameterizedTest
    @CsvSource({"1,33,31", "31,32,33", "17,3,10", "64,17,1", "3,513,7", "2,65,129", "1,1,1000"})
    void uglySizesAreRight(int batch, int in, int out) {
        compare(of(batch, in, out, true));
        compare(of(batch, in, out, false));
    }

    @ParameterizedTest
    @MethodSource("tenon.engine.ops.ConvolutionContract#activations")
    void activationsAreFused(Activation activation) {
        OpKind kind = Activations.kind(activation);
        verify(of(kind, activation, 3, 5, 4, true));
        verify(of(kind, activation, 2, 7, 3, false));
    }

    @ParameterizedTest
    @CsvSource({"1,33,31", "31,32,33", "64,17,1", "3,513,7"})
    void reluIsFusedAtUglySizes(int batch, int in, int out) {
        compare(of(OpKind.RELU, Activation.RELU, batch, in, out, true));
    }

    @Test
    void frozenPartsGetNoGradient() {
        OpCase full = of(3, 5, 4, true);
        for (int trained = 0; trained < 3; trained++) {
            Input[] inputs = full.inputs().clone();
            for (int i = 0; i < 3; i++) {
                inputs[i] = i == trained ? inputs[i] : inputs[i].constant();
            }
            compare(new OpCase(full.kind(), full.reductionLength(), full.op(), inputs));
        }
    }

    @Test
    void byHand() {
        Tensor input = Tensors.leaf(new double[] {1, 2, 3, 4, 5, 6}, 2, 3);
        Tensor weight = Tensors.leaf(new double[] {1, 0, -1, 2, 1, 0}, 2, 3);
        Tensor bias = Tensors.leaf(new double[] {10, 20}, 2);
        Tensor output = Dense.dense(input, weight, bias);
        output.backward(Tensor.of(new float[] {1, 2, 3, 4}, 2, 2));
        assertNear(output, 8, 24, 8, 33);
        assertNear(input.grad(), 5, 2, -1, 11, 4, -3);
        assertNear(weight.grad(), 13, 17, 21, 18, 24, 30);
        assertNear(bias.grad(), 4, 6);
    }

    @Test
    void inBf16WeightsAreF32AndRoundedWhereTheyAreMultiplied() {
        if (!backend.supports(OpKind.DENSE, DType.BF16)) {
            return;
        }
        Tensor input = Tensors.of(DType.BF16, Shape.of(1, 2), 2, 4).requireGrad(true);
        Tensor weight =
                Tensors.of(DType.F32, Shape.of(1, 2), 1 + 0x1p-8, 1 + 0x3p-8).requireGrad(true);
        Tensor bias = Tensors.of(DType.F32, Shape.of(1), 0.25).requireGrad(true);

        Tensor output = Dense.dense(input, weight, bias);
        output.backward(Tensors.of(DType.BF16, output.shape(), 1.5));

        // To nearest even: 1 + 2^-8 becomes 1, 1 + 3·2^-8 becomes 1 + 2^-6.
        assertThat(output.dtype()).isEqualTo(DType.BF16);
        assertValues(output, 6.3125);
        assertThat(input.grad().dtype()).isEqualTo(DType.BF16);
        assertValues(input.grad(), 1.5, 1.5234375);
        assertThat(weight.grad().dtype()).isEqualTo(DType.F32);
        assertValues(weight.grad(), 3, 6);
        assertThat(bias.grad().dtype()).isEqualTo(DType.F32);
        assertValues(bias.grad(), 1.5);
        assertThatThrownBy(() -> Dense.dense(input, input, null))
                .isInstanceOf(DTypeException.class)
                .hasMessageContaining("for an input in BF16 weight and bias must be F32");
    }

    @Test
    void emptyBatchGivesZeroGradients() {
        Tensor input = Tensors.leaf(new double[0], 0, 3);
        Tensor weight = Tensors.leaf(new double[] {1, 2, 3, 4, 5, 6}, 2, 3);
        Tensor bias = Tensors.leaf(new double[] {1, 2}, 2);
        Tensor output = Dense.dense(input, weight, bias);
        assertThat(output.shape()).isEqualTo(Shape.of(0, 2));
        output.backward(Tensor.of(new float[0], 0, 2));
        assertNear(weight.grad(), 0, 0, 0, 0, 0, 0);
        assertNear(bias.grad(), 0, 0);
    }

    @Test
    void wrongShapesSayWhatMustHold() {
        refuses(
                "dense: input must be [N, I]: input=[2, 3, 4, 5] (flatten first?)",
                Shape.of(2, 3, 4, 5),
                Shape.of(2, 3),
                Shape.of(2));
        refuses("dense: weight must be [O, I]: weight=[3]", Shape.of(2, 3), Shape.of(3), Shape.of(2));
        refuses(
                "dense: last input dimension must equal the weight's inFeatures: input=[2, 3], inFeatures=4",
                Shape.of(2, 3),
                Shape.of(2, 4),
                Shape.of(2));
        refuses("dense: bias must be [2]: bias=[3]", Shape.of(2, 3), Shape.of(2, 3), Shape.of(3));
    }

    private static void refuses(String message, Shape input, Shape weight, Shape bias) {
        assertThatThrownBy(() -> Dense.dense(
                        Tensor.zeros(input, DType.F32), Tensor.zeros(weight, DType.F32), Tensor.zeros(bias, DType.F32)))
                .isInstanceOf(ShapeException.class)
                .hasMessage(message);
    }
}
