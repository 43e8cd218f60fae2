package tenon.engine.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static tenon.engine.testing.TensorAssert.assertNear;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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

abstract class NormalizationContract extends BackendContract {
    private static final BatchNormSpec DEFAULTS = BatchNormSpec.defaults();
    /** Epsilon 3 makes numbers that can be computed by hand. */
    private static final BatchNormSpec BY_HAND = new BatchNormSpec(3, 0.25, false, true, Activation.NONE);

    record Variant(
            String name,
            Shape input,
            boolean gamma,
            boolean beta,
            Activation activation,
            boolean training,
            boolean shortcut) {
        Variant(String name, Shape input, boolean gamma, boolean beta, Activation activation, boolean training) {
            this(name, input, gamma, beta, activation, training, false);
        }

        Variant withShortcut() {
            return new Variant("shortcut, " + name, input, gamma, beta, activation, training, true);
        }

        /** The affine map keeps normalized values away from the activation's kinks only by chance; epsilon 0.5 keeps finite differences small. */
        OpCase toCase() {
            BatchNormSpec spec = new BatchNormSpec(0.5, 0.1, !gamma, true, activation);
            Input perChannel = Input.random(input.dim(-1)).statistic();
            return new OpCase(
                    OpKind.BATCH_NORM,
                    2 * input.outerCount(),
                    in -> shortcut
                            ? Normalization.batchNormAdd(in[0], in[5], in[1], in[2], in[3], in[4], spec, training)
                            : Normalization.batchNorm(in[0], in[1], in[2], in[3], in[4], spec, training),
                    Input.random(input),
                    gamma ? perChannel : null,
                    beta ? perChannel : null,
                    perChannel.constant(),
                    perChannel.mapped(x -> 1.5 + x).constant(),
                    shortcut ? Input.random(input) : null);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Variant> small() {
        Shape shape = Shape.of(2, 3, 2, 3);
        return Stream.of(true, false)
                .flatMap(training -> Stream.of(
                        new Variant("full, training=" + training, shape, true, true, Activation.NONE, training),
                        new Variant("relu, training=" + training, shape, true, true, Activation.RELU, training),
                        new Variant("relu6, training=" + training, shape, true, true, Activation.RELU6, training),
                        new Variant(
                                "frozen gamma, training=" + training, shape, false, true, Activation.NONE, training),
                        new Variant(
                                "frozen gamma, relu, training=" + training,
                                shape,
                                false,
                                true,
                                Activation.RELU,
                                training),
                        new Variant("no beta, training=" + training, shape, true, false, Activation.NONE, training),
                        new Variant(
                                "no parameters, training=" + training, shape, false, false, Activation.RELU, training),
                        new Variant(
                                "[N, C], training=" + training, Shape.of(5, 4), true, true, Activation.NONE, training),
                        new Variant(
                                "one channel, training=" + training,
                                Shape.of(2, 1),
                                true,
                                true,
                                Activation.RELU,
                                training)))
                .flatMap(variant -> Stream.of(variant, variant.withShortcut()));
    }

    static Stream<Variant> ugly() {
        return Stream.of(true, false)
                .flatMap(training -> Stream.of(
                                Shape.of(3, 7, 5, 17),
                                Shape.of(2, 5, 5, 31),
                                Shape.of(2, 3, 3, 32),
                                Shape.of(33, 33),
                                Shape.of(2, 1, 1, 65),
                                Shape.of(1, 13, 11, 3),
                                Shape.of(2, 64),
                                Shape.of(3, 1000),
                                Shape.of(3, 1001),
                                Shape.of(2, 37, 29, 1),
                                Shape.of(2, 53, 47, 17),
                                Shape.of(3, 31, 33, 64))
                        .flatMap(shape -> Stream.of(Activation.NONE, Activation.RELU, Activation.RELU6)
                                .map(activation -> new Variant(
                                        shape + ", " + activation.opName() + ", training=" + training,
                                        shape,
                                        true,
                                        true,
                                        activation,
                                        training))))
                .flatMap(variant -> Stream.of(variant, variant.withShortcut()));
    }

    @ParameterizedTest
    @MethodSource("small")
    void gradientsAreRight(Variant variant) {
        verify(variant.toCase());
    }

    @ParameterizedTest
    @MethodSource("ugly")
    void uglySizesAreRight(Variant variant) {
        compare(variant.toCase());
    }

    @ParameterizedTest
    @MethodSource("small")
    void parametersAloneCanBeTrained(Variant variant) {
        OpCase full = variant.toCase();
        Input[] inputs = full.inputs().clone();
        inputs[0] = inputs[0].constant();
        if (variant.gamma() || variant.beta()) {
            compare(new OpCase(full.kind(), full.reductionLength(), full.op(), inputs));
        }
    }

    @ParameterizedTest
    @MethodSource("small")
    void theShortcutAloneCanBeTrained(Variant variant) {
        OpCase full = variant.withShortcut().toCase();
        Input[] inputs = full.inputs().clone();
        for (int i = 0; i < 3; i++) {
            inputs[i] = inputs[i] == null ? null : inputs[i].constant();
        }
        compare(new OpCase(full.kind(), full.reductionLength(), full.op(), inputs));
    }

    /** Intermediate results, whose gradients may be computed in place. */
    @ParameterizedTest
    @MethodSource("small")
    void gradientsOfIntermediateResultsAreRight(Variant variant) {
        OpCase full = variant.toCase();
        compare(new OpCase(
                full.kind(),
                full.reductionLength(),
                in -> {
                    Tensor[] inner = in.clone();
                    inner[0] = Reshape.reshape(in[0], in[0].shape());
                    inner[5] = in[5] == null ? null : Reshape.reshape(in[5], in[5].shape());
                    Tensor output = full.op().apply(inner);
                    return Reshape.reshape(output, output.shape());
                },
                full.inputs()));
    }

    @Test
    void nanIsKept() {
        for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
            if (backend.supports(OpKind.BATCH_NORM, dtype)) {
                for (int channels : new int[] {1, 3, 64}) {
                    nanIsKept(dtype, channels);
                }
            }
        }
    }

    private static void nanIsKept(DType dtype, int channels) {
        double[] values = new double[5 * channels];
        values[3 * channels] = Double.NaN;
        Tensor input = Tensors.of(dtype, Shape.of(5, channels), values);
        nanIsKept(DEFAULTS.withActivation(Activation.RELU), input, values, channels);
        nanIsKept(DEFAULTS.withActivation(Activation.RELU6), input, values, channels);
    }

    private static void nanIsKept(BatchNormSpec spec, Tensor input, double[] values, int channels) {
        Tensor shortcut = Tensor.zeros(input.shape(), input.dtype());
        Tensor zeros = Tensor.zeros(Shape.of(channels), DType.F32);
        Tensor ones = Tensor.full(Shape.of(channels), DType.F32, 1);
        float[] plain = Normalization.batchNorm(input, ones, zeros, zeros, ones, spec, false)
                .toFloatArray();
        float[] added = Normalization.batchNormAdd(input, shortcut, ones, zeros, zeros, ones, spec, false)
                .toFloatArray();
        for (int i = 0; i < values.length; i++) {
            assertThat(plain[i]).isEqualTo(Float.valueOf((float) values[i]));
            assertThat(added[i]).isEqualTo(Float.valueOf((float) values[i]));
        }
        float[] trained = Normalization.batchNorm(input, ones, zeros, zeros, ones, spec, true)
                .toFloatArray();
        for (int i = 0; i < values.length; i++) {
            assertThat(Float.isNaN(trained[i])).as("element %d", i).isEqualTo(i % channels == 0);
        }
    }

    /** Two rows of two channels, whose deviations are 2 with epsilon 3. */
    private static final class ByHand {
        final Tensor input = Tensors.leaf(new double[] {1, -1, 3, 1}, 2, 2);
        final Tensor gamma = Tensors.leaf(new double[] {2, 4}, 2);
        final Tensor beta;
        final Tensor mean = Tensor.of(new float[] {0, 8}, 2);
        final Tensor variance = Tensor.of(new float[] {1, 1}, 2);

        /** @param beta of the first channel; the second's is −1 */
        ByHand(double beta) {
            this.beta = Tensors.leaf(new double[] {beta, -1}, 2);
        }

        Tensor train(BatchNormSpec spec) {
            return Normalization.batchNorm(input, gamma, beta, mean, variance, spec, true);
        }

        Tensor trainAdding(Tensor shortcut, BatchNormSpec spec) {
            return Normalization.batchNormAdd(input, shortcut, gamma, beta, mean, variance, spec, true);
        }
    }

    @Test
    void trainingByHand() {
        ByHand layer = new ByHand(1);

        Tensor output = layer.train(BY_HAND);
        output.backward(Tensor.of(new float[] {1, 0, 0, 2}, 2, 2));

        assertNear(output, 0, -3, 2, 1);
        assertNear(layer.mean, 0.5, 6);
        assertNear(layer.variance, 1.25, 1.25);
        assertNear(layer.gamma.grad(), -0.5, 1);
        assertNear(layer.beta.grad(), 1, 2);
        assertNear(layer.input.grad(), 0.375, -1.5, -0.375, 1.5);
    }

    @Test
    void biasedRunningVarianceOnRequest() {
        Tensor variance = Tensor.of(new float[] {1}, 1);
        Normalization.batchNorm(
                Tensor.of(new float[] {1, 3}, 2, 1),
                Tensor.of(new float[] {1}, 1),
                null,
                Tensor.of(new float[] {0}, 1),
                variance,
                new BatchNormSpec(3, 0.25, false, false, Activation.NONE),
                true);
        assertNear(variance, 1);
    }

    @Test
    void fusedReluBlocksGradientsWhereItsOutputIsZero() {
        ByHand layer = new ByHand(1);
        BatchNormSpec relu = BY_HAND.withActivation(Activation.RELU);

        Tensor output = layer.train(relu);
        output.backward(Tensor.of(new float[] {5, 7, 0, 2}, 2, 2));

        assertNear(output, 0, 0, 2, 1);
        assertNear(layer.gamma.grad(), 0, 1);
        assertNear(layer.beta.grad(), 0, 2);
        assertNear(layer.input.grad(), 0, -1.5, 0, 1.5);
    }

    @Test
    void fusedRelu6BlocksGradientsWhereItsOutputIsZeroOrSix() {
        ByHand layer = new ByHand(5.5);
        BatchNormSpec relu6 = BY_HAND.withActivation(Activation.RELU6);

        Tensor output = layer.train(relu6);
        output.backward(Tensor.of(new float[] {1, 7, 5, 2}, 2, 2));

        // Normalized: 4.5, −3, 6.5, 1.
        assertNear(output, 4.5, 0, 6, 1);
        assertNear(layer.gamma.grad(), -0.5, 1);
        assertNear(layer.beta.grad(), 1, 2);
        assertNear(layer.input.grad(), 0.375, -1.5, -0.375, 1.5);
    }

    @Test
    void relu6AfterAShortcutByHand() {
        Tensor shortcut = Tensors.leaf(new double[] {0.5, 9.5, 4.5, -2}, 2, 2);
        ByHand layer = new ByHand(1);
        BatchNormSpec relu6 = BY_HAND.withActivation(Activation.RELU6);

        Tensor output = layer.trainAdding(shortcut, relu6);
        output.backward(Tensor.of(new float[] {1, 7, 5, 9}, 2, 2));

        // Normalized: 0, −3, 2, 1; with the shortcut 6.5 in two places.
        assertNear(output, 0.5, 6, 6, 0);
        assertNear(shortcut.grad(), 1, 0, 0, 0);
        assertNear(layer.gamma.grad(), -0.5, 0);
        assertNear(layer.beta.grad(), 1, 0);
        assertNear(layer.input.grad(), 0.375, 0, -0.375, 0);
    }

    @Test
    void shortcutByHand() {
        Tensor shortcut = Tensors.leaf(new double[] {0.5, 5, -3, -2}, 2, 2);
        ByHand layer = new ByHand(1);
        BatchNormSpec relu = BY_HAND.withActivation(Activation.RELU);

        Tensor output = layer.trainAdding(shortcut, relu);
        output.backward(Tensor.of(new float[] {1, 7, 5, 9}, 2, 2));

        // Normalized: 0, −3, 2, 1.
        assertNear(output, 0.5, 2, 0, 0);
        assertNear(layer.mean, 0.5, 6);
        assertNear(shortcut.grad(), 1, 7, 0, 0);
        assertNear(layer.gamma.grad(), -0.5, -3.5);
        assertNear(layer.beta.grad(), 1, 7);
        assertNear(layer.input.grad(), 0.375, 5.25, -0.375, -5.25);
    }

    @Test
    void inferenceByHandWithGradients() {
        Tensor input = Tensors.leaf(new double[] {3, 6}, 1, 2);
        Tensor gamma = Tensors.leaf(new double[] {2, 4}, 2);
        Tensor beta = Tensors.leaf(new double[] {1, -1}, 2);
        Tensor mean = Tensor.of(new float[] {1, 0}, 2);
        Tensor variance = Tensor.of(new float[] {1, 6}, 2);

        Tensor output = Normalization.batchNorm(input, gamma, beta, mean, variance, BY_HAND, false);
        output.backward(Tensor.of(new float[] {1, 3}, 1, 2));

        assertNear(output, 3, 7);
        assertNear(mean, 1, 0);
        assertNear(variance, 1, 6);
        assertNear(input.grad(), 1, 4);
        assertNear(gamma.grad(), 1, 6);
        assertNear(beta.grad(), 1, 3);
    }

    @Test
    void frozenGammaIsOne() {
        Tensor input = Tensor.of(new float[] {3, 6}, 1, 2);
        Tensor beta = Tensor.of(new float[] {1, -1}, 2);
        Tensor mean = Tensor.of(new float[] {1, 0}, 2);
        Tensor variance = Tensor.of(new float[] {1, 6}, 2);
        BatchNormSpec frozen = new BatchNormSpec(3, 0.25, true, true, Activation.NONE);
        assertNear(Normalization.batchNorm(input, null, beta, mean, variance, frozen, false), 2, 1);
    }

    @Test
    void varianceSurvivesALargeMean() {
        float[] values = new float[64];
        for (int i = 0; i < values.length; i++) {
            values[i] = 4096 + (i % 2 == 0 ? 1 : -1);
        }
        Tensor variance = Tensor.of(new float[] {0}, 1);
        BatchNormSpec spec = new BatchNormSpec(1e-5, 1, false, false, Activation.NONE);
        Normalization.batchNorm(
                Tensor.of(values, 64, 1),
                Tensor.of(new float[] {1}, 1),
                null,
                Tensor.of(new float[] {0}, 1),
                variance,
                spec,
                true);
        assertNear(variance, 1);
    }

    @Test
    void wrongArgumentsSayWhatMustHold() {
        Tensor input = Tensor.zeros(Shape.of(4, 3), DType.F32);
        Tensor c = Tensor.zeros(Shape.of(3), DType.F32);
        Tensor wrong = Tensor.zeros(Shape.of(2), DType.F32);
        assertThatThrownBy(() -> Normalization.batchNorm(input, wrong, c, c, c, DEFAULTS, true))
                .isInstanceOf(ShapeException.class)
                .hasMessage("batch_norm: gamma must be [3]: gamma=[2]");
        assertThatThrownBy(() -> Normalization.batchNorm(input, c, c, c, wrong, DEFAULTS, true))
                .hasMessage("batch_norm: runningVariance must be [3]: runningVariance=[2]");
        assertThatThrownBy(() -> Normalization.batchNorm(c, c, c, c, c, DEFAULTS, true))
                .hasMessage("batch_norm: input must be [N, …, C]: input=[3]");
        assertThatThrownBy(() -> Normalization.batchNorm(input, null, c, c, c, DEFAULTS, true))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "batch_norm: gamma must be given exactly when it is not frozen: gamma=null, frozenGamma=false");
        assertThatThrownBy(() -> Normalization.batchNormAdd(input, c, c, c, c, c, DEFAULTS, true))
                .isInstanceOf(ShapeException.class)
                .hasMessage("batch_norm_add: shapes must be equal: [4, 3], [3]");
        Tensor single = Tensor.zeros(Shape.of(1, 3), DType.F32);
        assertThatThrownBy(() -> Normalization.batchNorm(single, c, c, c, c, DEFAULTS, true))
                .isInstanceOf(ShapeException.class)
                .hasMessage("batch_norm: training needs more than one value per channel: input=[1, 3] (use a larger"
                        + " batch, or drop the last short one)");
        Tensor doubles = Tensor.empty(Shape.of(3), DType.F64);
        assertThatThrownBy(() -> Normalization.batchNorm(input, doubles, c, c, c, DEFAULTS, true))
                .isInstanceOf(DTypeException.class)
                .hasMessage("batch_norm: gamma must be F32: dtype=F64, shape=[3]");
    }

    @Test
    void refusesWrongSettings() {
        assertThatThrownBy(() -> new BatchNormSpec(0, 0.1, false, true, Activation.NONE))
                .hasMessage("batch_norm: epsilon must be positive and momentum in [0, 1]: epsilon=0.0, momentum=0.1");
        assertThatThrownBy(() -> new BatchNormSpec(1e-5, Double.NaN, false, true, Activation.NONE))
                .hasMessageContaining("momentum=NaN");
        assertThatThrownBy(() -> DEFAULTS.withActivation(Activation.TANH))
                .hasMessage("batch_norm: the fused activation must be none, relu or relu6: activation=tanh");
        assertThat(DEFAULTS.epsilon()).isEqualTo(1e-5);
    }
}
