package tenon.layers.blocks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.autograd.GradientCheck;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.Conv2d;
import tenon.layers.Initializer;
import tenon.layers.Module;

/** What the papers say of the blocks, on the reference back-end. */
class BlocksTest {
    private static final BatchNormSpec NORM = BatchNormSpec.defaults();
    private static final Initializer GLOROT = Initializer.glorotUniform();

    private ReferenceBackend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        backend = ReferenceBackend.open();
        scope = Scope.open("test", backend);
        Generator.current().manualSeed(3);
    }

    @AfterEach
    void close() {
        scope.close();
        backend.close();
    }

    private static Tensor noise(int... dims) {
        Random random = new Random(5);
        float[] values = new float[(int) Shape.of(dims).elementCount()];
        for (int i = 0; i < values.length; i++) {
            values[i] = 4 * random.nextFloat() - 2;
        }
        return Tensor.of(values, dims);
    }

    private static void zero(Module module, String weight) {
        module.namedParameters().get(weight).value().fill(0);
    }

    @Test
    void anIdentityShortcutPassesTheRawInputAndNothingFollowsTheSum() {
        PreActivationUnit unit = PreActivationUnit.bottleneck(8, 8, 1, false, NORM, GLOROT);
        zero(unit, "conv3.weight");
        Tensor input = noise(2, 5, 5, 8);
        assertThat(unit.apply(input).toFloatArray()).containsExactly(input.toFloatArray());
    }

    @Test
    void aProjectionReadsTheActivatedInput() {
        PreActivationUnit unit = PreActivationUnit.bottleneck(8, 16, 2, true, NORM, GLOROT);
        zero(unit, "conv3.weight");
        unit.eval();
        Tensor input = noise(2, 5, 5, 8);
        Tensor expected = unit.module("projection").apply(unit.module("bn1").apply(input));
        assertThat(expected.shape()).isEqualTo(Shape.of(2, 3, 3, 16));
        assertThat(unit.apply(input).toFloatArray()).containsExactly(expected.toFloatArray(), within(1e-6f));
    }

    @Test
    void postActivationEndsInReLU() {
        PostActivationUnit unit = PostActivationUnit.bottleneck(8, 8, 1, false, NORM, GLOROT);
        zero(unit, "bn3.gamma");
        Tensor input = noise(2, 5, 5, 8);
        float[] expected = input.toFloatArray();
        for (int i = 0; i < expected.length; i++) {
            expected[i] = Math.max(0, expected[i]);
        }
        assertThat(unit.apply(input).toFloatArray()).containsExactly(expected, within(1e-6f));
    }

    @Test
    void withoutProjectionTheShapeMustStay() {
        assertThatThrownBy(() -> PreActivationUnit.basic(8, 16, 1, false, NORM, GLOROT))
                .hasMessage("PreActivationUnit: without projection the output must have the input's shape: channels=8,"
                        + " filters=16, stride=1");
        assertThatThrownBy(() -> PostActivationUnit.basic(8, 8, 2, false, NORM, GLOROT))
                .hasMessageStartingWith("PostActivationUnit: without projection");
    }

    @Test
    void fireJoinsThe1x1BranchAndThe3x3BranchInThisOrder() {
        Fire fire = new Fire(6, 3, 4, Activation.RELU, null, GLOROT);
        fire.eval();
        Tensor input = noise(2, 5, 7, 6);
        Tensor squeezed = fire.module("squeeze").apply(input);
        Tensor output = fire.apply(input);
        assertThat(output.shape()).isEqualTo(Shape.of(2, 5, 7, 8));
        assertChannels(output, 0, fire.module("expand1x1").apply(squeezed));
        assertChannels(output, 4, fire.module("expand3x3").apply(squeezed));
    }

    @Test
    void inceptionJoinsItsBranchesInThePapersOrder() {
        BatchNormSpec norm = BatchNormSpec.mxnet().withActivation(Activation.RELU);
        Inception inception = new Inception(6, new Inception.Filters(2, 3, 4, 2, 3, 5), norm, GLOROT);
        inception.eval();
        Tensor input = noise(2, 5, 7, 6);
        Tensor output = inception.apply(input);
        assertThat(output.shape()).isEqualTo(Shape.of(2, 5, 7, 14));
        assertChannels(output, 0, inception.module("conv1x1").apply(input));
        assertChannels(
                output,
                2,
                inception.module("conv3x3").apply(inception.module("reduce3x3").apply(input)));
        assertChannels(
                output,
                6,
                inception.module("conv5x5").apply(inception.module("reduce5x5").apply(input)));
        assertChannels(
                output,
                9,
                inception.module("projection").apply(inception.module("pool").apply(input)));
    }

    @Test
    void depthwiseSeparableIsOneFilterPerChannelThenA1x1Convolution() {
        DepthwiseSeparable block = new DepthwiseSeparable(3, 5, 2, true, Activation.RELU6, NORM, GLOROT);
        block.eval();
        Tensor input = noise(2, 6, 5, 3);
        Tensor filtered = block.module("depthwise.conv").apply(input);
        assertThat(filtered.shape()).isEqualTo(Shape.of(2, 3, 3, 3));
        Tensor filters = block.namedParameters().get("depthwise.conv.weight").value();
        for (int c = 0; c < 3; c++) {
            Conv2d single =
                    Conv2d.builder(1, 1, 3).stride(2).samePadding().bias(false).build();
            single.weight().value().upload(Arrays.copyOfRange(filters.toFloatArray(), 9 * c, 9 * (c + 1)));
            Tensor plane = Tensor.of(channel(input, 3, c), 2, 6, 5, 1);
            assertThat(channel(filtered, 3, c))
                    .containsExactly(single.apply(plane).toFloatArray(), within(1e-5f));
        }
        Tensor output =
                block.module("pointwise").apply(block.module("depthwise").apply(input));
        assertThat(output.shape()).isEqualTo(Shape.of(2, 3, 3, 5));
        assertThat(block.apply(input).toFloatArray()).containsExactly(output.toFloatArray(), within(1e-5f));
        assertThat(block.trainableCount()).isEqualTo(9 * 3 + 2 * 3 + 3 * 5 + 2 * 5);
    }

    /** Channel c of [N, H, W, channels]. */
    private static float[] channel(Tensor tensor, int channels, int c) {
        float[] all = tensor.toFloatArray();
        float[] channel = new float[all.length / channels];
        for (int i = 0; i < channel.length; i++) {
            channel[i] = all[i * channels + c];
        }
        return channel;
    }

    @Test
    void invertedResidualAddsTheInputWhereTheShapeStays() {
        InvertedResidual unit = new InvertedResidual(4, 4, 1, 6, true, Activation.RELU6, NORM, GLOROT);
        assertThat(unit.isResidual()).isTrue();
        zero(unit, "project.bn.gamma");
        Tensor input = noise(2, 5, 5, 4);
        assertThat(unit.apply(input).toFloatArray()).containsExactly(input.toFloatArray());
        unit.eval();
        assertThat(unit.apply(input).toFloatArray()).containsExactly(input.toFloatArray());
        assertThat(new InvertedResidual(4, 5, 1, 6, true, Activation.RELU6, NORM, GLOROT).isResidual())
                .isFalse();
        assertThat(new InvertedResidual(4, 4, 2, 6, true, Activation.RELU6, NORM, GLOROT).isResidual())
                .isFalse();
    }

    @Test
    void invertedResidualEndsWithoutActivation() {
        InvertedResidual unit = new InvertedResidual(4, 5, 2, 6, false, Activation.RELU6, NORM, GLOROT);
        Tensor input = noise(2, 6, 7, 4);
        Tensor output = unit.apply(input);
        assertThat(output.shape()).isEqualTo(Shape.of(2, 3, 4, 5));
        float least = Float.POSITIVE_INFINITY;
        for (float value : output.toFloatArray()) {
            least = Math.min(least, value);
        }
        assertThat(least).isNegative();
        assertThat(unit.namedParameters().keySet())
                .contains("expand.conv.weight", "depthwise.conv.weight", "project.bn.beta");
        assertThat(unit.trainableCount()).isEqualTo(4 * 24 + 48 + 9 * 24 + 48 + 24 * 5 + 10);

        InvertedResidual first = new InvertedResidual(8, 4, 1, 1, true, Activation.RELU6, NORM, GLOROT);
        assertThat(first.namedParameters().keySet()).doesNotContain("expand.conv.weight");
        assertThatThrownBy(() -> new InvertedResidual(4, 4, 1, 0, true, Activation.RELU6, NORM, GLOROT))
                .hasMessage("InvertedResidual: expansion must be at least 1: expansion=0");
    }

    /** Blocks for [2, 4, 4, 4]. */
    static Stream<Arguments> blocks() {
        BatchNormSpec relu = BatchNormSpec.mxnet().withActivation(Activation.RELU);
        Inception.Filters filters = new Inception.Filters(1, 2, 1, 1, 2, 1);
        return Stream.of(
                block("identity", () -> PreActivationUnit.bottleneck(4, 4, 1, false, NORM, GLOROT)),
                block("projection", () -> PreActivationUnit.bottleneck(4, 8, 1, true, NORM, GLOROT)),
                block("projection, stride 2", () -> PreActivationUnit.bottleneck(4, 8, 2, true, NORM, GLOROT)),
                block("basic", () -> PreActivationUnit.basic(4, 2, 2, true, NORM, GLOROT)),
                block("post-activation", () -> PostActivationUnit.bottleneck(4, 4, 1, false, NORM, GLOROT)),
                block("post-activation, stride 2", () -> PostActivationUnit.bottleneck(4, 8, 2, true, NORM, GLOROT)),
                block("Fire", () -> new Fire(4, 2, 3, Activation.elu(0.25f), null, GLOROT)),
                block("Inception", () -> new Inception(4, filters, relu, GLOROT)),
                block("depthwise", () -> new DepthwiseSeparable(4, 3, 1, true, Activation.RELU6, NORM, GLOROT)),
                block(
                        "depthwise, stride 2",
                        () -> new DepthwiseSeparable(4, 3, 2, true, Activation.RELU6, NORM, GLOROT)),
                block(
                        "inverted residual",
                        () -> new InvertedResidual(4, 4, 1, 2, true, Activation.RELU6, NORM, GLOROT)),
                block(
                        "inverted residual, stride 2",
                        () -> new InvertedResidual(4, 3, 2, 2, true, Activation.RELU6, NORM, GLOROT)));
    }

    private static Arguments block(String name, Supplier<Module> block) {
        return Arguments.of(name, block);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("blocks")
    void gradientsOfInputAndWeightsAreRight(String name, Supplier<Module> block) {
        Module module = block.get();
        module.convertTo(DType.F64);
        Tensor input = Tensor.empty(Shape.of(2, 4, 4, 4), DType.F64).requireGrad(true);
        backend.random().normal(input, 0, 1, new Rng(3, 0, 0));
        List<Tensor> checked = new ArrayList<>(List.of(input));
        module.parameters().forEach(parameter -> checked.add(parameter.value()));
        GradientCheck.check(in -> module.apply(in[0]), checked.toArray(Tensor[]::new));
    }

    private static void assertChannels(Tensor output, int from, Tensor branch) {
        int all = output.shape().dim(-1);
        int count = branch.shape().dim(-1);
        float[] actual = output.toFloatArray();
        float[] expected = branch.toFloatArray();
        for (int i = 0; i < expected.length; i++) {
            assertThat(actual[i / count * all + from + i % count])
                    .as("channel %d of pixel %d", from + i % count, i / count)
                    .isCloseTo(expected[i], within(1e-5f));
        }
    }
}
