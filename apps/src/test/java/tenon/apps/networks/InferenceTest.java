package tenon.apps.networks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.backend.shapes.ShapeBackend;
import tenon.engine.memory.MemoryStatistics;
import tenon.layers.InferenceForm;
import tenon.layers.Initializer;
import tenon.layers.Module;
import tenon.layers.Summary;

/** The networks in the form for inference: equal outputs, little memory. */
class InferenceTest {
    static Stream<Arguments> networks() {
        return Stream.of(
                network("MiniVGG", 32, () -> new MiniVggNet(32, 32, 3, 10)),
                network("AlexNet", 67, () -> new AlexNet(67, 67, 3, 100)),
                network("VGG16", 32, () -> new Vgg16(32, 32, 3, 100)),
                network("GoogLeNet", 64, () -> new GoogLeNet(3, 100)),
                network("ResNet-50", 64, () -> ResNet.resNet50(3, 100)),
                network("ResNet, post-activation", 64, InferenceTest::postActivation),
                network("SqueezeNet", 227, () -> new SqueezeNet(227, 227, 3, 100)),
                network("MobileNet", 64, () -> new MobileNetV1(3, 100)),
                network("MobileNetV2", 64, () -> new MobileNetV2(3, 100)),
                network("CIFAR-10", 32, () -> new CifarNet(32, 32, 3, 10)));
    }

    private static Arguments network(String name, int side, Supplier<Module> network) {
        return Arguments.of(name, side, network);
    }

    private static Module postActivation() {
        return new ResNet(
                3,
                100,
                new int[] {1, 2},
                new int[] {32, 64, 128},
                ResNet.Stem.SMALL,
                ResNet.Unit.BOTTLENECK,
                ResNet.Design.POST_ACTIVATION,
                false,
                ResNet.norm(),
                Initializer.msraPrelu());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("networks")
    void givesTheSameLogits(String name, int side, Supplier<Module> network) {
        Generator.current().manualSeed(4);
        try (Backend backend = CpuBackend.open(2);
                var _ = Scope.open("model", backend);
                var _ = GradMode.noGrad()) {
            Module net = network.get();
            Random random = new Random(8);
            randomizeNorms(net, random);
            Tensor images = noise(Shape.of(2, side, side, 3), random);
            net.eval();
            double[] expected = net.apply(images).toDoubleArray();
            double[] actual = InferenceForm.of(net).apply(images).toDoubleArray();
            double difference = 0;
            double magnitude = 0;
            for (int i = 0; i < expected.length; i++) {
                difference += Math.pow(actual[i] - expected[i], 2);
                magnitude += Math.pow(expected[i], 2);
            }
            assertThat(magnitude).isPositive();
            assertThat(Math.sqrt(difference / magnitude)).isLessThanOrEqualTo(1e-5);
        }
    }

    /** Statistics such as training leaves: far from 0 and 1, and different in each channel. */
    private static void randomizeNorms(Module net, Random random) {
        net.state().forEach((name, tensor) -> {
            double low = name.endsWith("runningVariance") || name.endsWith("gamma") ? 0.5 : -0.5;
            if (!name.endsWith("weight") && !name.endsWith("slope")) {
                float[] values = new float[(int) tensor.elementCount()];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) (low + random.nextDouble());
                }
                tensor.upload(values);
            }
        });
    }

    private static Tensor noise(Shape shape, Random random) {
        float[] values = new float[(int) shape.elementCount()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        Tensor tensor = Tensor.empty(shape, DType.F32);
        tensor.upload(values);
        return tensor;
    }

    @Test
    void foldsEveryNormBehindAConvolution() {
        assertThat(form(() -> new GoogLeNet(3, 10))).doesNotContain("bn");
        assertThat(form(() -> new MobileNetV1(3, 10))).doesNotContain("bn").doesNotContain("act");
        assertThat(form(() -> new MobileNetV2(3, 10))).doesNotContain("bn").doesNotContain("act");
        assertThat(form(InferenceTest::postActivation).replace("bn1_1", "")).doesNotContain("bn");
        assertThat(form(() -> new AlexNet(67, 67, 3, 10)))
                .isEqualTo("InferenceForm(conv1_1, bn1_1, pool1, conv2_1, bn2_1, pool2, conv3_1, bn3_1, conv3_2, bn3_2,"
                        + " conv3_3, bn3_3, pool3, flatten, fc1, bn4_1, fc2, bn5_1, fc3)");
    }

    private static String form(Supplier<Module> network) {
        try (var _ = Scope.open("shapes", new ShapeBackend())) {
            return InferenceForm.of(network.get()).toString();
        }
    }

    /** Three for a residual sum, its two terms and the result; half of one for the unit's smaller input and alignment. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("largeMaps")
    void holdsTheActivationsOfOneSumAtATime(String name, int side, Supplier<Module> network) {
        Shape input = Shape.of(16, side, side, 3);
        Summary summary = Summary.of(network, input);
        long largest = summary.layers().stream()
                .mapToLong(Summary.Row::outputBytes)
                .max()
                .orElseThrow();
        assertThat(summary.outputBytes()).as("all activations").isGreaterThan(4 * largest);
        try (CpuBackend backend = CpuBackend.open(2);
                var _ = Scope.open("model", backend)) {
            Module form = InferenceForm.of(network.get());
            Tensor images = Tensor.zeros(input, DType.F32);
            // The second pass has the highest peak: by then the back-end has its own copies of the weights.
            for (int i = 0; i < 2; i++) {
                try (var _ = Scope.open("step")) {
                    form.apply(images);
                }
            }
            MemoryStatistics after = backend.allocator().statistics();
            assertThat(after.peakLiveBytes() - after.liveBytes()).isBetween(largest, 7 * largest / 2);
        }
    }

    static Stream<Arguments> largeMaps() {
        return Stream.of(
                network("SqueezeNet", 227, () -> new SqueezeNet(227, 227, 3, 10)),
                network("GoogLeNet", 224, () -> new GoogLeNet(3, 10)),
                network("ResNet-50", 224, () -> ResNet.resNet50(3, 10)));
    }
}
