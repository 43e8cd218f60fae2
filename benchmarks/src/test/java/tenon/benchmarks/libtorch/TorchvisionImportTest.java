package tenon.benchmarks.libtorch;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.apps.networks.Nonlinearity;
import tenon.apps.networks.NormPosition;
import tenon.apps.networks.ResNet;
import tenon.apps.pretrained.ImportReport;
import tenon.apps.pretrained.PretrainedWeights;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.NetworkVariant;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.layers.Module;

/** torchvision's networks in libtorch: their weights, saved under torchvision's names and imported, give the same logits here. */
class TorchvisionImportTest {
    private static final int CLASSES = 12;

    @TempDir
    private Path folder;

    enum Case {
        RESNET18(64, NetworkSpec.Kind.RESNET18),
        RESNET50(64, NetworkSpec.Kind.RESNET50),
        MOBILENET_V2(64, NetworkSpec.Kind.MOBILENET_V2),
        SQUEEZENET(227, NetworkSpec.Kind.SQUEEZENET),
        VGG16(64, NetworkSpec.Kind.VGG16);

        private final int side;
        private final NetworkSpec.Kind kind;

        Case(int side, NetworkSpec.Kind kind) {
            this.side = side;
            this.kind = kind;
        }

        Tensor forward(TorchvisionWeights torch, Tensor images) {
            return switch (this) {
                case RESNET18 -> torch.resnet(images, new int[] {2, 2, 2, 2}, false, CLASSES);
                case RESNET50 -> torch.resnet(images, new int[] {3, 4, 6, 3}, true, CLASSES);
                case MOBILENET_V2 -> torch.mobilenetV2(images, CLASSES);
                case SQUEEZENET -> torch.squeezenet10(images, CLASSES);
                case VGG16 -> torch.vgg16(images, CLASSES);
            };
        }

        NetworkSpec spec() {
            NetworkVariant original = NetworkVariant.ORIGINAL;
            NetworkVariant variant = switch (this) {
                case RESNET18, RESNET50 ->
                    original.withDesign(ResNet.Design.TORCHVISION).withEpsilon(1e-5);
                case MOBILENET_V2 -> original.withSymmetricPadding(true).withEpsilon(1e-5);
                case SQUEEZENET -> original.withActivation(Nonlinearity.RELU);
                case VGG16 -> original.withActivation(Nonlinearity.RELU).withNorm(NormPosition.NONE);
            };
            return new NetworkSpec(kind, side, side, 3, CLASSES, kind.defaultNormMomentum(), 1, variant);
        }
    }

    @ParameterizedTest
    @EnumSource
    void givesTheSameLogits(Case example) throws Exception {
        Path file = folder.resolve("weights.safetensors");
        int side = example.side;
        float[] images = new float[2 * side * side * 3];
        Random random = new Random(2);
        double[] doubles = new double[images.length];
        for (int i = 0; i < images.length; i++) {
            images[i] = (float) random.nextGaussian();
            doubles[i] = images[i];
        }
        double[] expected;
        try (PointerScope _ = new PointerScope()) {
            TorchvisionWeights torch = new TorchvisionWeights();
            Tensor input = TorchTensors.image(doubles, ScalarType.Float, MemoryFormat.Contiguous, 2, side, side, 3);
            expected = TorchTensors.toArray(example.forward(torch, input));
            torch.write(file);
        }
        try (Backend backend = CpuBackend.open(2);
                Scope _ = Scope.open("model", backend);
                var _ = GradMode.noGrad()) {
            NetworkSpec spec = example.spec();
            Module network = spec.build();
            ImportReport report = PretrainedWeights.load(file, spec, network, PretrainedWeights.Leniency.NONE);
            assertThat(report.names()).isEqualTo("torchvision");
            assertThat(report.leftOver()).isEmpty();
            network.eval();
            tenon.engine.Tensor input = tenon.engine.Tensor.empty(Shape.of(2, side, side, 3), tenon.engine.DType.F32);
            input.upload(images);
            double[] actual = network.apply(input).toDoubleArray();
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
