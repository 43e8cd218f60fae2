package tenon.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.GradMode;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.autograd.GradientCheck;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.ops.Activation;
import tenon.engine.ops.Activations;
import tenon.engine.ops.Arithmetic;
import tenon.engine.ops.BatchNormSpec;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.Padding;
import tenon.engine.ops.PoolSpec;

/** Layers against numbers computed by hand, on the reference back-end. */
class LayersTest {
    private ReferenceBackend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        backend = ReferenceBackend.open();
        scope = Scope.open("test", backend);
        Generator.current().manualSeed(7);
    }

    @AfterEach
    void close() {
        scope.close();
        backend.close();
    }

    private static void assertValues(Tensor actual, Shape shape, double... expected) {
        assertThat(actual.shape()).isEqualTo(shape);
        assertThat(actual.toDoubleArray()).containsExactly(expected, within(1e-5));
    }

    private static Tensor ones(int... dims) {
        return Tensor.full(Shape.of(dims), DType.F32, 1);
    }

    @Test
    void convolvesWithReadyWeights() {
        Tensor weight = Tensor.of(new float[] {1, 0, 0, 1}, 1, 2, 2, 1);
        Conv2d conv = new Conv2d(weight, Tensor.of(new float[] {0.5f}, 1), ConvSpec.of(1, 0));

        Tensor output = conv.apply(Tensor.of(new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9}, 1, 3, 3, 1));

        assertValues(output, Shape.of(1, 2, 2, 1), 6.5, 8.5, 12.5, 14.5);
        assertThat(conv.weight().value()).isSameAs(weight);
    }

    @Test
    void samePaddingFollowsTheInputSize() {
        Conv2d conv = Conv2d.builder(1, 1, 3)
                .stride(2)
                .samePadding()
                .bias(false)
                .initializer(Initializer.constant(1))
                .build();

        // 4×4 needs one more row and column: at the bottom and right. 5×5 needs one on every side.
        assertValues(conv.apply(ones(1, 4, 4, 1)), Shape.of(1, 2, 2, 1), 9, 6, 6, 4);
        assertValues(conv.apply(ones(1, 5, 5, 1)), Shape.of(1, 3, 3, 1), 4, 6, 4, 6, 9, 6, 4, 6, 4);
        assertValues(conv.apply(ones(1, 4, 4, 1)), Shape.of(1, 2, 2, 1), 9, 6, 6, 4);
    }

    @Test
    void convolutionSettingsReachTheOp() {
        Conv2d conv = Conv2d.builder(4, 8, 3, 1)
                .stride(2, 1)
                .padding(new Padding(0, 1, 0, 0))
                .dilation(2)
                .groups(4)
                .bias(false)
                .build();

        assertThat(conv.weight().value().shape()).isEqualTo(Shape.of(8, 3, 1, 1));
        assertThat(conv.bias()).isNull();
        assertThat(conv.apply(ones(2, 9, 6, 4)).shape()).isEqualTo(Shape.of(2, 3, 6, 8));
        assertThat(conv)
                .hasToString("Conv2d(4 -> 8, kernel=3x1, stride=2x1, padding=[top 0, bottom 1, left 0, right 0],"
                        + " dilation=2x2, groups=4, no bias)");
        assertThatThrownBy(() -> Conv2d.builder(4, 8, 3).groups(3).build())
                .hasMessage("Conv2d: in and out channels must be multiples of groups: in=4, out=8, groups=3");
    }

    @Test
    void denseWithReadyWeights() {
        Dense dense = new Dense(Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3), Tensor.of(new float[] {10, 20}, 2));
        assertValues(dense.apply(Tensor.of(new float[] {1, 0, -1}, 1, 3)), Shape.of(1, 2), 8, 18);
    }

    @Test
    void batchNormKeepsRunningStatistics() {
        BatchNorm norm = new BatchNorm(1);
        Tensor input = Tensor.of(new float[] {1, 3}, 2, 1);
        double y = 1 / Math.sqrt(1 + 1e-5);

        assertValues(norm.apply(input), Shape.of(2, 1), -y, y);
        // Batch mean 2, biased variance 1, unbiased 2.
        assertValues(norm.runningMean().value(), Shape.of(1), 0.2);
        assertValues(norm.runningVariance().value(), Shape.of(1), 0.9 + 0.2);

        norm.eval();
        double r = Math.sqrt(1.1 + 1e-5);
        assertValues(norm.apply(input), Shape.of(2, 1), 0.8 / r, 2.8 / r);
        assertValues(norm.runningMean().value(), Shape.of(1), 0.2);

        norm.train();
        norm.fixStatistics(true);
        assertValues(norm.apply(input), Shape.of(2, 1), 0.8 / r, 2.8 / r);
        assertValues(norm.runningMean().value(), Shape.of(1), 0.2);
    }

    /** Of the batch {1, 3} with mean 2, biased variance 1 and unbiased variance 2. */
    @Test
    void batchNormHasTheDefaultsOfOtherLibraries() {
        Tensor input = Tensor.of(new float[] {1, 3}, 2, 1);
        double y = 1 / Math.sqrt(1 + 1e-3);

        BatchNorm mxnet = new BatchNorm(1, BatchNormSpec.mxnet());
        assertThat(mxnet.namedParameters().keySet()).containsExactly("beta");
        assertValues(mxnet.apply(input), Shape.of(2, 1), -y, y);
        assertValues(mxnet.runningMean().value(), Shape.of(1), 0.1 * 2);
        assertValues(mxnet.runningVariance().value(), Shape.of(1), 0.9 + 0.1 * 2);

        BatchNorm keras = new BatchNorm(1, BatchNormSpec.keras());
        assertThat(keras.namedParameters().keySet()).containsExactly("gamma", "beta");
        assertValues(keras.apply(input), Shape.of(2, 1), -y, y);
        assertValues(keras.runningMean().value(), Shape.of(1), 0.01 * 2);
        assertValues(keras.runningVariance().value(), Shape.of(1), 0.99 + 0.01 * 2);

        BatchNorm biased = new BatchNorm(1, new BatchNormSpec(1e-3, 0.1, true, false, Activation.NONE));
        biased.apply(input);
        assertValues(biased.runningVariance().value(), Shape.of(1), 0.9 + 0.1);
    }

    @Test
    void batchNormWithFrozenGammaAndReadyWeights() {
        BatchNormSpec spec = new BatchNormSpec(1e-5, 0.1, true, false, Activation.RELU);
        BatchNorm norm = new BatchNorm(
                null,
                Tensor.of(new float[] {5}, 1),
                Tensor.of(new float[] {1}, 1),
                Tensor.of(new float[] {4}, 1),
                spec);
        norm.eval();

        assertThat(norm.namedParameters().keySet()).containsExactly("beta");
        assertValues(norm.apply(Tensor.of(new float[] {3, -19}, 2, 1)), Shape.of(2, 1), 6, 0);
        assertThat(norm).hasToString("BatchNorm(1, epsilon=1.0E-5, momentum=0.1, frozen gamma, relu)");
        assertThatThrownBy(() -> new BatchNorm(ones(1), ones(1), ones(1), ones(1), spec))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("gamma must be given exactly when it is not frozen");
    }

    @Test
    void dropoutDropsInTrainingOnly() {
        Dropout dropout = new Dropout(0.25);
        Tensor input = ones(10_000);
        float[] first = dropout.apply(input).toFloatArray();
        float[] second = dropout.apply(input).toFloatArray();

        long dropped = count(first, 0);
        assertThat(dropped).isBetween(2_300L, 2_700L);
        assertThat(count(first, 1 / 0.75f)).isEqualTo(10_000 - dropped);
        assertThat(first).isNotEqualTo(second);

        dropout.eval();
        assertThat(dropout.apply(input)).isSameAs(input);
        assertThatThrownBy(() -> new Dropout(1)).hasMessage("Dropout: rate must lie in [0, 1): rate=1.0");
    }

    private static long count(float[] values, float wanted) {
        int count = 0;
        for (float value : values) {
            count += value == wanted ? 1 : 0;
        }
        return count;
    }

    @Test
    void activations() {
        Tensor input = Tensor.of(new float[] {-2, 0, 8}, 3);
        assertValues(ActivationLayer.relu().apply(input), Shape.of(3), 0, 0, 8);
        assertValues(ActivationLayer.relu6().apply(input), Shape.of(3), 0, 0, 6);
        assertValues(ActivationLayer.leakyRelu(0.5f).apply(input), Shape.of(3), -1, 0, 8);
        assertValues(ActivationLayer.elu(0.25f).apply(input), Shape.of(3), 0.25 * (Math.exp(-2) - 1), 0, 8);
        assertValues(
                ActivationLayer.sigmoid().apply(input),
                Shape.of(3),
                1 / (1 + Math.exp(2)),
                0.5,
                1 / (1 + Math.exp(-8)));
        assertValues(ActivationLayer.tanh().apply(input), Shape.of(3), Math.tanh(-2), 0, Math.tanh(8));
        assertThat(new ActivationLayer(Activation.NONE).apply(input)).isSameAs(input);
        assertThat(ActivationLayer.elu(0.25f)).hasToString("ActivationLayer(elu, alpha=0.25)");
        assertValues(new PRelu(3).apply(Tensor.of(new float[] {-2, -4, 8}, 1, 3)), Shape.of(1, 3), -0.5, -1, 8);
    }

    @Test
    void poolsAndShapes() {
        Tensor image = Tensor.of(new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9}, 1, 3, 3, 1);
        assertValues(new MaxPool2d(2, 1).apply(image), Shape.of(1, 2, 2, 1), 5, 6, 8, 9);
        assertValues(new AvgPool2d(2, 1).apply(image), Shape.of(1, 2, 2, 1), 3, 4, 6, 7);
        assertValues(
                new MaxPool2d(PoolSpec.of(2, 2).withCeilMode(true)).apply(image), Shape.of(1, 2, 2, 1), 5, 6, 8, 9);
        assertValues(new GlobalAvgPool2d().apply(image), Shape.of(1, 1, 1, 1), 5);
        assertValues(new Flatten().apply(image), Shape.of(1, 9), 1, 2, 3, 4, 5, 6, 7, 8, 9);
        assertValues(
                new Softmax().apply(Tensor.of(new float[] {0, (float) Math.log(3)}, 1, 2)), Shape.of(1, 2), 0.25, 0.75);
        assertThat(new MaxPool2d(3, 2)).hasToString("MaxPool2d(kernel=3x3, stride=2x2, padding=0x0)");
    }

    /** Multiplies by a constant. */
    private static final class Times extends Module {
        private final double factor;

        Times(double factor) {
            this.factor = factor;
        }

        @Override
        protected Tensor forward(Tensor input) {
            return Arithmetic.scale(input, factor);
        }
    }

    @Test
    void branchesJoin() {
        Tensor input = Tensor.of(new float[] {1, -2}, 1, 2);
        assertValues(new Residual(new Times(3)).apply(input), Shape.of(1, 2), 4, -8);
        assertValues(new Residual(new Times(3), new Times(10), Activation.RELU).apply(input), Shape.of(1, 2), 13, 0);
        assertValues(
                new Concat(new Times(2), new Flatten(), new Times(3)).apply(input),
                Shape.of(1, 6),
                2,
                -4,
                1,
                -2,
                3,
                -6);
        assertThat(new Concat()
                        .add("a", new Times(1))
                        .add("b", new Times(1))
                        .children()
                        .keySet())
                .containsExactly("a", "b");
    }

    @Test
    void sequentialFreesEachIntermediateResultAtOnce() {
        Sequential net = new Sequential();
        for (int i = 0; i < 10; i++) {
            net.add(new Times(2));
        }
        Tensor input = ones(1 << 16);
        long resting = backend.allocator().statistics().liveBytes();
        try (var _ = GradMode.noGrad();
                var _ = Scope.open("inference")) {
            Tensor output = net.apply(input);

            assertThat(output.toFloatArray()).containsOnly(1024);
            assertThat(backend.allocator().statistics().liveBytes()).isEqualTo(resting + output.byteSize());
            assertThat(backend.allocator().statistics().peakLiveBytes()).isEqualTo(resting + 2 * output.byteSize());
        }
        assertThat(backend.allocator().statistics().liveBytes()).isEqualTo(resting);
    }

    @Test
    void trainingKeepsWhatBackwardNeedsAndNothingAfterIt() {
        Sequential net = Sequential.of(
                new Conv2d(2, 3, 3, 1, 1),
                new BatchNorm(3),
                ActivationLayer.relu(),
                new MaxPool2d(2, 2),
                new Flatten(),
                new Dropout(0.5),
                new Dense(12, 4));
        Tensor input = ones(2, 4, 4, 2);
        long resting = 0;
        for (int step = 0; step < 3; step++) {
            net.zeroGrad();
            try (Scope s = Scope.open("step")) {
                Arithmetic.mean(net.apply(input)).backward();
                assertThat(s.savedBytes()).isZero();
            }
            long live = backend.allocator().statistics().liveBytes();
            // The first step leaves the gradients of the parameters; later ones leave nothing.
            if (step > 0) {
                assertThat(live).isEqualTo(resting);
            }
            resting = live;
        }
        assertThat(net.parameters()).allMatch(parameter -> parameter.value().grad() != null);
    }

    @Test
    void frozenParametersGetNoGradient() {
        Sequential net = new Sequential().add("a", new Dense(3, 3)).add("b", new Dense(3, 3));
        net.freeze("a");
        Arithmetic.mean(net.apply(ones(2, 3))).backward();

        assertThat(net.parameters().stream()
                        .filter(p -> p.value().grad() != null)
                        .map(Parameter::name))
                .containsExactly("b.weight", "b.bias");
    }

    @Test
    void gradientsOfAWholeBlock() {
        Sequential branch = Sequential.of(new Conv2d(2, 2, 3, 1, 1), new BatchNorm(2), ActivationLayer.tanh());
        Sequential net = Sequential.of(
                new Residual(branch),
                new Concat(Conv2d.builder(2, 4, 3).samePadding().groups(2).build(), new AvgPool2d(1, 1)),
                new PRelu(6),
                new Flatten(),
                new Dense(54, 2));
        net.convertTo(DType.F64);
        Tensor input = Tensor.empty(Shape.of(2, 3, 3, 2), DType.F64);
        backend.random().normal(input, 0, 1, new Rng(3, 0, 0));
        Tensor[] checked = net.parameters().stream().map(Parameter::value).toArray(Tensor[]::new);

        GradientCheck.check(_ -> net.apply(input), checked);

        assertThat(net.parameterCount()).isGreaterThan(0);
        assertThat(List.of(checked)).allMatch(value -> value.dtype() == DType.F64);
    }

    @Test
    void aSeedGivesTheSameNetwork() {
        float[] first = weights(7);
        assertThat(weights(7)).isEqualTo(first);
        assertThat(Arrays.equals(weights(8), first)).isFalse();
    }

    private static float[] weights(long seed) {
        Generator.current().manualSeed(seed);
        Sequential net = Sequential.of(new Dense(4, 4), new Dense(4, 4));
        float[] first = net.parameters().get(0).value().toFloatArray();
        assertThat(net.parameters().get(2).value().toFloatArray()).isNotEqualTo(first);
        return first;
    }

    @Test
    void activationsInsideConvolutionAndDenseLayersAreTheSameAsBehindThem() {
        Conv2d conv =
                Conv2d.builder(3, 4, 3).padding(1).activation(Activation.RELU).build();
        Conv2d linear = new Conv2d(conv.weight().value(), conv.bias().value(), ConvSpec.of(1, 1));
        Dense dense = Dense.builder(4, 2).activation(Activation.elu(0.5f)).build();
        Dense affine = new Dense(dense.weight().value(), dense.bias().value());
        Tensor image = Initializer.uniform(1).create(Shape.of(2, 5, 5, 3));
        Tensor row = Initializer.uniform(1).create(Shape.of(3, 4));

        assertThat(conv.apply(image).toFloatArray())
                .containsExactly(Activations.relu(linear.apply(image)).toFloatArray(), within(1e-6f));
        assertThat(dense.apply(row).toFloatArray())
                .containsExactly(Activations.elu(affine.apply(row), 0.5f).toFloatArray(), within(1e-6f));
        assertThat(conv).hasToString("Conv2d(3 -> 4, kernel=3x3, stride=1x1, padding=1x1, relu)");
        assertThat(dense).hasToString("Dense(4 -> 2, elu, alpha=0.5)");
    }
}
