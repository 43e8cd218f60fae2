package tenon.engine.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static tenon.engine.testing.TensorAssert.assertNear;
import static tenon.engine.testing.TensorAssert.assertValues;

import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.Tensor;
import tenon.engine.backend.OpKind;
import tenon.engine.testing.BackendContract;
import tenon.engine.testing.Input;
import tenon.engine.testing.OpCase;
import tenon.engine.testing.Tensors;

abstract class ConvolutionContract extends BackendContract {
    private static final ConvSpec PLAIN = ConvSpec.of(1, 0);

    /** @param input [N, H, W, C] */
    record Geometry(String name, Shape input, int filters, int kernelH, int kernelW, ConvSpec spec) {
        static Geometry of(String name, int n, int size, int channels, int filters, int kernel, ConvSpec spec) {
            return new Geometry(name, Shape.of(n, size, size, channels), filters, kernel, kernel, spec);
        }

        OpCase toCase(boolean withBias) {
            return toCase(OpKind.CONV2D, Activation.NONE, withBias);
        }

        /** @param kind the part of the op that fewest dtypes have */
        OpCase toCase(OpKind kind, Activation activation, boolean withBias) {
            Shape weight = Shape.of(filters, kernelH, kernelW, input.dim(3) / spec.groups());
            Shape output = spec.outputShape(input, weight, null);
            return new OpCase(
                    kind,
                    Math.max(weight.elementCount() / filters, output.elementCount() / filters),
                    in -> Convolution.conv2d(in[0], in[1], in[2], spec, activation),
                    Input.random(input),
                    Input.random(weight).statistic(),
                    withBias ? Input.random(filters).statistic() : null);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Geometry> small() {
        return Stream.of(
                Geometry.of("single element", 1, 1, 1, 1, 1, PLAIN),
                Geometry.of("3x3", 2, 4, 2, 3, 3, PLAIN),
                Geometry.of("3x3 padded", 1, 3, 2, 2, 3, ConvSpec.of(1, 1)),
                Geometry.of("1x1 strided", 2, 5, 3, 2, 1, ConvSpec.of(2, 0)),
                Geometry.of("stride leaves a rest", 1, 6, 1, 2, 3, ConvSpec.of(2, 0)),
                new Geometry(
                        "wide kernel, unequal strides",
                        Shape.of(1, 4, 7, 2),
                        2,
                        1,
                        3,
                        new ConvSpec(1, 2, Padding.of(0, 1), 1, 1, 1)),
                Geometry.of("asymmetric padding", 1, 4, 2, 2, 3, PLAIN.withPadding(new Padding(0, 2, 1, 0))),
                Geometry.of("padding beyond the kernel", 1, 2, 1, 1, 2, ConvSpec.of(1, 3)),
                new Geometry(
                        "outputs of padding only",
                        Shape.of(2, 5, 1, 1),
                        9,
                        2,
                        1,
                        new ConvSpec(1, 3, new Padding(2, 1, 2, 3), 1, 3, 1)),
                new Geometry(
                        "one channel, one output column, strided",
                        Shape.of(2, 4, 3, 1),
                        3,
                        2,
                        3,
                        new ConvSpec(1, 2, Padding.NONE, 1, 1, 1)),
                Geometry.of("dilation", 1, 6, 2, 2, 3, ConvSpec.of(1, 1).withDilation(2)),
                new Geometry(
                        "unequal dilation, stride, padding",
                        Shape.of(1, 7, 6, 1),
                        2,
                        2,
                        3,
                        new ConvSpec(2, 1, new Padding(1, 0, 0, 2), 3, 2, 1)),
                Geometry.of("groups", 2, 3, 4, 6, 2, PLAIN.withGroups(2)),
                Geometry.of("depthwise", 1, 4, 3, 3, 3, ConvSpec.of(1, 1).withGroups(3)),
                Geometry.of(
                        "depthwise strided", 1, 5, 3, 3, 3, ConvSpec.of(2, 1).withGroups(3)),
                Geometry.of("depthwise, two filters per channel", 1, 3, 2, 4, 2, PLAIN.withGroups(2)));
    }

    static Stream<Geometry> ugly() {
        return Stream.of(
                Geometry.of("one image of one pixel, 33 channels", 1, 1, 33, 31, 1, PLAIN),
                Geometry.of("17 to 33 channels", 3, 7, 17, 33, 3, ConvSpec.of(1, 1)),
                Geometry.of("image channels, stem", 2, 31, 3, 17, 7, ConvSpec.of(2, 3)),
                Geometry.of("one channel", 2, 33, 1, 5, 5, ConvSpec.of(1, 2)),
                Geometry.of("32 channels, 1x1", 2, 9, 32, 32, 1, PLAIN),
                Geometry.of("31 channels, stride 3", 1, 13, 31, 32, 3, ConvSpec.of(3, 1)),
                Geometry.of("AlexNet stem", 1, 35, 3, 8, 11, ConvSpec.of(4, 2)),
                Geometry.of(
                        "same padding, odd surplus",
                        2,
                        14,
                        16,
                        16,
                        3,
                        new ConvSpec(2, 2, Padding.same(14, 14, 3, 3, 2), 1, 1, 1)),
                Geometry.of("depthwise 33", 2, 9, 33, 33, 3, ConvSpec.of(1, 1).withGroups(33)),
                Geometry.of(
                        "depthwise 32 strided",
                        1,
                        10,
                        32,
                        32,
                        3,
                        ConvSpec.of(2, 1).withGroups(32)),
                Geometry.of(
                        "depthwise 37 on 2x2",
                        3,
                        2,
                        37,
                        37,
                        3,
                        ConvSpec.of(1, 1).withGroups(37)),
                Geometry.of(
                        "depthwise 40 on 3x3, strided",
                        2,
                        3,
                        40,
                        40,
                        3,
                        ConvSpec.of(2, 1).withGroups(40)),
                Geometry.of(
                        "depthwise 9 on one pixel",
                        2,
                        1,
                        9,
                        9,
                        3,
                        ConvSpec.of(2, 1).withGroups(9)),
                new Geometry(
                        "depthwise 19 on two columns, dilated, asymmetric padding",
                        Shape.of(2, 7, 2, 19),
                        19,
                        3,
                        5,
                        new ConvSpec(2, 1, new Padding(1, 3, 2, 5), 1, 2, 19)),
                Geometry.of("groups of 17", 1, 6, 34, 34, 3, ConvSpec.of(1, 1).withGroups(2)),
                Geometry.of("dilated 5", 1, 17, 16, 17, 3, ConvSpec.of(1, 5).withDilation(5)),
                Geometry.of("whole Winograd tiles", 2, 16, 64, 64, 3, ConvSpec.of(1, 1)),
                Geometry.of("Winograd tiles over the edge, several blocks", 5, 23, 32, 48, 3, ConvSpec.of(1, 1)),
                Geometry.of(
                        "Winograd, asymmetric padding",
                        2,
                        19,
                        48,
                        32,
                        3,
                        ConvSpec.of(1, 0).withPadding(new Padding(2, 0, 1, 2))),
                Geometry.of("Winograd without padding", 2, 15, 32, 32, 3, PLAIN),
                Geometry.of("Winograd 5x5", 2, 21, 64, 32, 5, ConvSpec.of(1, 2)),
                Geometry.of("Winograd 5x5, fewer rows of padding", 1, 20, 64, 64, 5, ConvSpec.of(1, 1)),
                new Geometry("one row", Shape.of(1, 1, 65, 3), 7, 1, 5, ConvSpec.of(1, 0)),
                new Geometry(
                        "1x7 factorized",
                        Shape.of(1, 9, 9, 16),
                        16,
                        1,
                        7,
                        new ConvSpec(1, 1, Padding.of(0, 3), 1, 1, 1)));
    }

    @ParameterizedTest
    @MethodSource("small")
    void gradientsAreRight(Geometry geometry) {
        verify(geometry.toCase(true));
    }

    @ParameterizedTest
    @MethodSource("ugly")
    void uglySizesAreRight(Geometry geometry) {
        compare(geometry.toCase(true));
    }

    /** Whatever sizes come up; a failure names its geometry. */
    static Stream<Geometry> drawn() {
        Rng rng = new Rng(2024, Rng.stream("convolution"), 0);
        return Stream.generate(() -> draw(rng)).filter(Objects::nonNull).limit(40);
    }

    private static Geometry draw(Rng rng) {
        int groups = 1 + rng.nextInt(3);
        Shape input =
                Shape.of(1 + rng.nextInt(3), 1 + rng.nextInt(12), 1 + rng.nextInt(12), groups * (1 + rng.nextInt(9)));
        int filters = groups * (1 + rng.nextInt(9));
        Padding padding = new Padding(rng.nextInt(4), rng.nextInt(4), rng.nextInt(4), rng.nextInt(4));
        ConvSpec spec = new ConvSpec(
                1 + rng.nextInt(3), 1 + rng.nextInt(3), padding, 1 + rng.nextInt(3), 1 + rng.nextInt(3), groups);
        int kernelH = 1 + rng.nextInt(5);
        int kernelW = 1 + rng.nextInt(5);
        boolean fits = input.dim(1) + padding.top() + padding.bottom() > (kernelH - 1) * spec.dilationH()
                && input.dim(2) + padding.left() + padding.right() > (kernelW - 1) * spec.dilationW();
        String name = input + ", " + filters + " filters " + kernelH + "x" + kernelW + ", " + spec;
        return fits ? new Geometry(name, input, filters, kernelH, kernelW, spec) : null;
    }

    @ParameterizedTest
    @MethodSource("drawn")
    void drawnSizesAreRight(Geometry geometry) {
        compare(geometry.toCase(true));
    }

    @Test
    void worksWithoutBias() {
        verify(Geometry.of("no bias", 1, 3, 2, 2, 2, PLAIN).toCase(false));
        compare(Geometry.of("no bias", 1, 9, 17, 16, 3, ConvSpec.of(1, 1)).toCase(false));
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

    @ParameterizedTest
    @MethodSource("activations")
    void activationsAreFused(Activation activation) {
        OpKind kind = Activations.kind(activation);
        // The derivative comes from the rounded result, and up to 16 such terms add up.
        double rounding = 16 * 0x1.0p-9;
        verify(Geometry.of("3x3", 2, 4, 2, 3, 3, PLAIN).toCase(kind, activation, true), rounding);
        verify(Geometry.of("1x1", 1, 3, 3, 2, 1, PLAIN).toCase(kind, activation, false), rounding);
        verify(
                Geometry.of("depthwise", 1, 4, 3, 3, 3, ConvSpec.of(1, 1).withGroups(3))
                        .toCase(kind, activation, true),
                rounding);
    }

    @ParameterizedTest
    @MethodSource("ugly")
    void reluIsFusedAtUglySizes(Geometry geometry) {
        compare(geometry.toCase(OpKind.RELU, Activation.RELU, true));
    }

    /** Two convolutions of one intermediate result: the second gradient to arrive is added to the first. */
    private static OpCase shared(Geometry geometry) {
        OpCase one = geometry.toCase(false);
        Shape weight = one.inputs()[1].shape();
        // Results well below 1, so that the roundings of three BF16 results in a row stay within the tolerance for one.
        double scale = 0.3 / Math.sqrt((double) weight.elementCount() / weight.dim(0));
        Input scaled = Input.random(weight).mapped(x -> scale * x).statistic();
        return new OpCase(
                OpKind.ADD,
                2 * one.reductionLength(),
                t -> {
                    Tensor x = Arithmetic.scale(t[0], 1);
                    return Arithmetic.add(
                            Convolution.conv2d(x, t[1], null, geometry.spec),
                            Convolution.conv2d(x, t[2], null, geometry.spec));
                },
                one.inputs()[0],
                scaled,
                scaled);
    }

    @ParameterizedTest
    @MethodSource("small")
    void gradientsOfASharedInputAddUp(Geometry geometry) {
        verify(shared(geometry));
    }

    @ParameterizedTest
    @MethodSource({"ugly", "drawn"})
    void gradientsOfASharedInputAddUpAtUglySizes(Geometry geometry) {
        compare(shared(geometry));
    }

    @Test
    void aFusedActivationLeavesTheGivenGradientAlone() {
        Tensor input = Tensors.leaf(new double[] {1, 2}, 1, 1, 2, 1);
        Tensor weight = Tensors.leaf(new double[] {1, -1}, 2, 1, 1, 1);
        Tensor output = Convolution.conv2d(input, weight, null, PLAIN, Activation.RELU);
        Tensor gradient = Tensor.of(new float[] {3, 5, 7, 9}, 1, 1, 2, 2);
        output.backward(gradient);
        assertNear(output, 1, 0, 2, 0);
        assertNear(input.grad(), 3, 7);
        assertNear(weight.grad(), 17, 0);
        assertNear(gradient, 3, 5, 7, 9);
    }

    @Test
    void frozenPartsGetNoGradient() {
        OpCase full = Geometry.of("frozen", 2, 5, 3, 4, 3, ConvSpec.of(1, 1)).toCase(true);
        for (int trained = 0; trained < 3; trained++) {
            Input[] inputs = full.inputs().clone();
            for (int i = 0; i < 3; i++) {
                inputs[i] = i == trained ? inputs[i] : inputs[i].constant();
            }
            compare(new OpCase(full.kind(), full.reductionLength(), full.op(), inputs));
        }
    }

    @Test
    void handComputed() {
        Tensor input = Tensors.leaf(new double[] {1, 2, 3, 4, 5, 6, 7, 8, 9}, 1, 3, 3, 1);
        Tensor weight = Tensors.leaf(new double[] {1, 2, 3, 4}, 1, 2, 2, 1);
        Tensor bias = Tensors.leaf(new double[] {0.5}, 1);

        Tensor output = Convolution.conv2d(input, weight, bias, PLAIN);
        output.backward(Tensor.of(new float[] {1, 0, 0, 2}, 1, 2, 2, 1));

        assertThat(output.shape()).isEqualTo(Shape.of(1, 2, 2, 1));
        assertNear(output, 37.5, 47.5, 67.5, 77.5);
        assertNear(weight.grad(), 11, 14, 20, 23);
        assertNear(bias.grad(), 3);
        assertNear(input.grad(), 1, 2, 0, 3, 6, 4, 0, 6, 8);
    }

    @Test
    void paddingIsZeroOnTheGivenSides() {
        Tensor input = Tensor.of(new float[] {1, 2, 3, 4}, 1, 2, 2, 1);
        Tensor ones = Tensor.of(new float[] {1, 1, 1, 1}, 1, 2, 2, 1);
        ConvSpec topAndRight = PLAIN.withPadding(new Padding(1, 0, 0, 1));
        assertNear(Convolution.conv2d(input, ones, null, topAndRight), 3, 2, 10, 6);
    }

    @Test
    void dilationSpreadsTheKernel() {
        Tensor input = Tensor.of(new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9}, 1, 3, 3, 1);
        Tensor weight = Tensor.of(new float[] {1, 2, 3, 4}, 1, 2, 2, 1);
        assertNear(Convolution.conv2d(input, weight, null, PLAIN.withDilation(2)), 64);
    }

    @Test
    void groupsSeeTheirOwnChannels() {
        Tensor input = Tensor.of(new float[] {1, 2, 3, 4}, 1, 1, 1, 4);
        Tensor weight = Tensor.of(new float[] {1, 1, 1, -1, 2, 0, 0, 2}, 4, 1, 1, 2);
        assertNear(Convolution.conv2d(input, weight, null, PLAIN.withGroups(2)), 3, -1, 6, 8);
        Tensor two = Tensor.of(new float[] {3, 5}, 1, 1, 1, 2);
        Tensor depthwise = Tensor.of(new float[] {1, 2, 3, 4}, 4, 1, 1, 1);
        assertNear(Convolution.conv2d(two, depthwise, null, PLAIN.withGroups(2)), 3, 6, 15, 20);
    }

    @Test
    void emptyBatchGivesEmptyResultAndZeroGradients() {
        Tensor input = Tensors.leaf(new double[0], 0, 3, 3, 2);
        Tensor weight = Tensors.leaf(new double[] {1, 2, 3, 4}, 2, 1, 1, 2);
        Tensor bias = Tensors.leaf(new double[] {1, 2}, 2);
        Tensor output = Convolution.conv2d(input, weight, bias, PLAIN);
        assertThat(output.shape()).isEqualTo(Shape.of(0, 3, 3, 2));
        output.backward(Tensor.of(new float[0], 0, 3, 3, 2));
        assertNear(weight.grad(), 0, 0, 0, 0);
        assertNear(bias.grad(), 0, 0);
        assertThat(input.grad().shape()).isEqualTo(Shape.of(0, 3, 3, 2));
    }

    @Test
    void wrongShapesSayWhatMustHold() {
        refuses(
                "conv2d: input must be [N, H, W, C]: input=[3, 3, 1]",
                Shape.of(3, 3, 1),
                Shape.of(1, 2, 2, 1),
                null,
                PLAIN);
        refuses(
                "conv2d: weight must be [K, R, S, C / groups]: weight=[2, 2, 1]",
                Shape.of(1, 3, 3, 1),
                Shape.of(2, 2, 1),
                null,
                PLAIN);
        refuses(
                "conv2d: input channels and filters must be multiples of groups: channels=3, filters=4, groups=2",
                Shape.of(1, 3, 3, 3),
                Shape.of(4, 1, 1, 1),
                null,
                PLAIN.withGroups(2));
        refuses(
                "conv2d: weight must have C / groups = 3 channels: input=[1, 3, 3, 3], weight=[4, 1, 1, 2], groups=1",
                Shape.of(1, 3, 3, 3),
                Shape.of(4, 1, 1, 2),
                null,
                PLAIN);
        refuses(
                "conv2d: bias must be [K] = [4]: bias=[3]",
                Shape.of(1, 3, 3, 1),
                Shape.of(4, 1, 1, 1),
                Shape.of(3),
                PLAIN);
        refuses(
                "conv2d: the padded input must be at least as large as the dilated kernel: input=[1, 3, 3, 1],"
                        + " kernel=2x2, padding=Padding[top=0, bottom=0, left=0, right=0], dilation=3x3",
                Shape.of(1, 3, 3, 1),
                Shape.of(1, 2, 2, 1),
                null,
                PLAIN.withDilation(3));
    }

    private static void refuses(String message, Shape input, Shape weight, Shape bias, ConvSpec spec) {
        assertThatThrownBy(() -> Convolution.conv2d(
                        Tensor.zeros(input, DType.F32),
                        Tensor.zeros(weight, DType.F32),
                        bias == null ? null : Tensor.zeros(bias, DType.F32),
                        spec))
                .isInstanceOf(ShapeException.class)
                .hasMessage(message);
    }

    @Test
    void refusesWrongSettings() {
        for (int[] s : List.of(new int[] {0, 1, 1}, new int[] {1, 0, 1}, new int[] {1, 1, 0})) {
            assertThatThrownBy(() -> new ConvSpec(s[0], 1, Padding.NONE, s[1], 1, s[2]))
                    .isInstanceOf(ShapeException.class)
                    .hasMessage("conv2d: stride, dilation and groups must be at least 1: stride=" + s[0]
                            + "x1, dilation=" + s[1] + "x1, groups=" + s[2]);
        }
        assertThatThrownBy(() -> new Padding(0, 1, -1, 0))
                .isInstanceOf(ShapeException.class)
                .hasMessage("padding: every side must be at least 0: top=0, bottom=1, left=-1, right=0");
    }

    @Test
    void refusesWeightsOfAnotherDType() {
        Tensor input = Tensor.zeros(Shape.of(1, 1, 1, 1), DType.F32);
        Tensor weight = Tensor.empty(Shape.of(1, 1, 1, 1), DType.F64);
        assertThatThrownBy(() -> Convolution.conv2d(input, weight, null, PLAIN))
                .isInstanceOf(DTypeException.class)
                .hasMessage("conv2d: for an input in F32 weight and bias must be F32: input=F32[1, 1, 1, 1]@"
                        + backend.name() + ", weight=F64[1, 1, 1, 1]@" + backend.name() + ", bias=null");
    }

    @Test
    void inBf16WeightsAreF32AndRoundedWhereTheyAreMultiplied() {
        if (!backend.supports(OpKind.CONV2D, DType.BF16)) {
            return;
        }
        Tensor input = Tensors.of(DType.BF16, Shape.of(1, 1, 1, 2), 2, 4).requireGrad(true);
        Tensor weight = Tensors.of(DType.F32, Shape.of(1, 1, 1, 2), 1 + 0x1p-8, 1 + 0x3p-8)
                .requireGrad(true);
        Tensor bias = Tensors.of(DType.F32, Shape.of(1), 0.25).requireGrad(true);

        Tensor output = Convolution.conv2d(input, weight, bias, PLAIN);
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
        assertThatThrownBy(() -> Convolution.conv2d(input, input, null, PLAIN))
                .isInstanceOf(DTypeException.class)
                .hasMessageContaining("for an input in BF16 weight and bias must be F32");
    }

    @Test
    void samePaddingIsKerasRule() {
        assertThat(Padding.same(5, 5, 3, 3, 2)).isEqualTo(new Padding(1, 1, 1, 1));
        assertThat(Padding.same(6, 5, 3, 3, 2)).isEqualTo(new Padding(0, 1, 1, 1));
        assertThat(Padding.same(4, 4, 2, 2, 1)).isEqualTo(new Padding(0, 1, 0, 1));
        assertThat(Padding.same(4, 4, 1, 1, 2)).isEqualTo(Padding.NONE);
    }
}
