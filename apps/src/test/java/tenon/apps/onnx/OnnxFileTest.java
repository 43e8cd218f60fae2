package tenon.apps.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.apps.networks.Nonlinearity;
import tenon.apps.networks.NormPosition;
import tenon.apps.networks.ResNet;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.NetworkVariant;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.ops.Activation;
import tenon.engine.ops.Activations;
import tenon.engine.ops.Arithmetic;
import tenon.engine.ops.Channels;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.Losses;
import tenon.engine.ops.Padding;
import tenon.engine.ops.PoolSpec;
import tenon.layers.ActivationLayer;
import tenon.layers.AvgPool2d;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dense;
import tenon.layers.Dropout;
import tenon.layers.Flatten;
import tenon.layers.MaxPool2d;
import tenon.layers.Module;
import tenon.layers.PRelu;
import tenon.layers.Sequential;

/** Exported networks in ONNX Runtime give the logits that they give here. */
class OnnxFileTest {
    private static final NetworkVariant ORIGINAL = NetworkVariant.ORIGINAL;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource(NetworkSpec.Kind.class)
    void everyNetworkGivesTheSameLogits(NetworkSpec.Kind kind) throws Exception {
        NetworkSpec spec = NetworkSpec.of(kind, 7);
        int side = smallSide(kind.toString());
        NetworkSpec small =
                new NetworkSpec(kind, side, side, spec.channels(), 7, spec.normMomentum(), multiplier(kind), ORIGINAL);
        assertSameLogits(small::build, small.input(1), 7);
    }

    /** A quarter as wide, where there is more than one width. */
    private static double multiplier(NetworkSpec.Kind kind) {
        return switch (kind) {
            case MINIVGG, SMALLVGG, DENSE3, MNIST, CIFAR10_CNN -> 1;
            default -> 0.25;
        };
    }

    /** Large enough for two pixels a side behind the last pooling, where there is a dense layer that must see their order. */
    private static int smallSide(String network) {
        return switch (network) {
            case "minivgg", "smallvgg" -> 16;
            case "dense3", "mnist" -> 8;
            case "cifar10-cnn" -> 16;
            case "alexnet", "alexnet-dogs-cats" -> 99;
            case "squeezenet" -> 227;
            default -> 64;
        };
    }

    /** An eighth as wide. */
    @ParameterizedTest
    @EnumSource
    void variantsGiveTheSameLogits(Variant variant) throws Exception {
        NetworkSpec spec = new NetworkSpec(
                variant.kind,
                variant.side,
                variant.side,
                3,
                7,
                variant.kind.defaultNormMomentum(),
                0.125,
                variant.choices);
        assertSameLogits(spec::build, spec.input(1), 7);
    }

    private enum Variant {
        RESNET18_TORCHVISION(NetworkSpec.Kind.RESNET18, 64, ORIGINAL.withDesign(ResNet.Design.TORCHVISION)),
        RESNET50_POST_ACTIVATION(NetworkSpec.Kind.RESNET50, 64, ORIGINAL.withDesign(ResNet.Design.POST_ACTIVATION)),
        RESNET50_TORCHVISION(NetworkSpec.Kind.RESNET50, 64, ORIGINAL.withDesign(ResNet.Design.TORCHVISION)),
        RESNET50_KERAS(NetworkSpec.Kind.RESNET50, 64, ORIGINAL.withDesign(ResNet.Design.KERAS)),
        MOBILENET_V1_SYMMETRIC(NetworkSpec.Kind.MOBILENET_V1, 64, ORIGINAL.withSymmetricPadding(true)),
        MOBILENET_V2_SYMMETRIC(NetworkSpec.Kind.MOBILENET_V2, 64, ORIGINAL.withSymmetricPadding(true)),
        MOBILENET_V2_SMALL_STEM(NetworkSpec.Kind.MOBILENET_V2, 32, ORIGINAL.withSmallStem(true)),
        ALEXNET_NORM_FIRST(NetworkSpec.Kind.ALEXNET, 99, ORIGINAL.withNorm(NormPosition.BEFORE_ACTIVATION)),
        VGG16_NORM_FIRST(
                NetworkSpec.Kind.VGG16,
                64,
                ORIGINAL.withActivation(Nonlinearity.elu(1)).withNorm(NormPosition.BEFORE_ACTIVATION));

        private final NetworkSpec.Kind kind;
        private final int side;
        private final NetworkVariant choices;

        Variant(NetworkSpec.Kind kind, int side, NetworkVariant choices) {
            this.kind = kind;
            this.side = side;
            this.choices = choices;
        }
    }

    @Test
    void poolingsActivationsAndBranches() throws Exception {
        PoolSpec window = new PoolSpec(3, 2, 2, 2, new Padding(1, 0, 0, 1), false, false);
        Supplier<Module> network = () -> Sequential.of(
                new BatchNorm(2),
                new Conv2d(
                        noise(Shape.of(4, 2, 3, 1)),
                        noise(Shape.of(4)),
                        ConvSpec.of(1, 1).withGroups(2)),
                new PRelu(4),
                new MaxPool2d(PoolSpec.of(3, 2).withCeilMode(true)),
                Conv2d.builder(4, 6, 2)
                        .stride(2)
                        .samePadding()
                        .bias(false)
                        .activation(Activation.leakyRelu(0.1f))
                        .build(),
                new AvgPool2d(window),
                new AvgPool2d(window.withCountPadding(true)),
                new AvgPool2d(PoolSpec.of(2, 2).withCeilMode(true)),
                new Parts(),
                new ActivationLayer(Activation.elu(0.3f)),
                new Dropout(0.5),
                new Flatten(),
                new BatchNorm(12),
                new PRelu(12),
                Dense.builder(12, 5).bias(false).activation(Activation.RELU6).build(),
                ActivationLayer.sigmoid(),
                new ActivationLayer(Activation.TANH));
        assertSameLogits(network, Shape.of(1, 37, 35, 2), 5);
    }

    /** Channels cut apart and put together in another order; a sum and a softmax. */
    private static final class Parts extends Module {
        @Override
        protected Tensor forward(Tensor input) {
            Tensor[] parts = Channels.split(input, 2, 4);
            Tensor joined = Channels.concat(Activation.TANH, parts[1], parts[0]);
            Tensor sum = Arithmetic.add(joined, input);
            return Activations.addActivation(sum, input, Activation.RELU);
        }
    }

    @Test
    void whatOnnxCannotSayIsAnError() {
        assertNoForm(
                () -> Sequential.of(
                        new AvgPool2d(PoolSpec.of(3, 2, 1).withCeilMode(true).withCountPadding(true))),
                "onnx '0': there is no ONNX form of an average in ceil mode that counts padding");
        assertNoForm(() -> Sequential.of(new Dropout(0.5)), "onnx: the network must compute something");
        assertNoForm(
                () -> Sequential.of(new Module() {
                    @Override
                    protected Tensor forward(Tensor input) {
                        return Arithmetic.mul(input, input);
                    }
                }),
                "onnx '0': there is no ONNX form of the operation 'multiply' yet");
        assertNoForm(
                () -> Sequential.of(new Module() {
                    @Override
                    protected Tensor forward(Tensor input) {
                        return Losses.softmax(Tensor.empty(Shape.of(1, 2), DType.F32));
                    }
                }),
                "onnx '0': the operation uses a tensor that is neither computed from the input nor a weight");
    }

    private void assertNoForm(Supplier<Module> network, String message) {
        assertThatThrownBy(() -> GraphRecorder.record(network, Shape.of(1, 6, 6, 2)))
                .isInstanceOf(TenonException.class)
                .hasMessageStartingWith(message);
    }

    private void assertSameLogits(Supplier<Module> network, Shape input, int classes) throws Exception {
        Generator.current().manualSeed(4);
        Path file = folder.resolve("net.onnx");
        int n = 3;
        int h = input.dim(1);
        int w = input.dim(2);
        int c = input.dim(3);
        try (Backend backend = CpuBackend.open(1);
                var _ = Scope.open("model", backend);
                var _ = GradMode.noGrad()) {
            Module net = network.get();
            randomizeNorms(net, new Random(8));
            net.eval();
            Tensor images = noise(input.withDim(0, n));
            OnnxFile.write(file, "net", network, input, net.state(), Map.of("note", "grün"));
            double[] expected = net.apply(images).toDoubleArray();
            try (OnnxRuntime runtime = new OnnxRuntime(file)) {
                assertThat(runtime.inputShape()).containsExactly(-1, c, h, w);
                assertThat(runtime.outputShape()).containsExactly(-1, classes);
                assertThat(runtime.metadata()).containsEntry("note", "grün");
                float[] actual = runtime.run(images.toFloatArray(), n, h, w, c);
                assertThat(actual).hasSize(expected.length);
                double largest = 0;
                for (double value : expected) {
                    largest = Math.max(largest, Math.abs(value));
                }
                assertThat(largest).isPositive();
                for (int i = 0; i < actual.length; i++) {
                    // Written so that NaN fails.
                    assertThat(Math.abs(actual[i] - expected[i]) <= 1e-4 * Math.max(1, largest))
                            .as("logit %d: %s, expected %s", i, actual[i], expected[i])
                            .isTrue();
                }
            }
        }
    }

    /** Statistics such as training leaves: far from 0 and 1, and different in each channel. */
    private static void randomizeNorms(Module net, Random random) {
        net.state().forEach((name, tensor) -> {
            double low = name.endsWith("runningVariance") || name.endsWith("gamma") ? 0.5 : -0.5;
            if (!name.endsWith("weight")) {
                float[] values = new float[(int) tensor.elementCount()];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) (low + random.nextDouble());
                }
                tensor.upload(values);
            }
        });
    }

    private static Tensor noise(Shape shape) {
        Random random = new Random(7);
        float[] values = new float[(int) shape.elementCount()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        Tensor tensor = Tensor.empty(shape, DType.F32);
        tensor.upload(values);
        return tensor;
    }
}
