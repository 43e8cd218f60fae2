package tenon.benchmarks.libtorch;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.apps.networks.Nonlinearity;
import tenon.apps.networks.NormPosition;
import tenon.apps.networks.ResNet;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.NetworkSpec.Kind;
import tenon.apps.training.NetworkVariant;
import tenon.benchmarks.libtorch.Parity.Task;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;

/**
 * Parity with libtorch of the networks and variants that {@link NetworkParityTest} leaves out, a quarter or an eighth as wide where they can be, on
 * small pictures. Rates as there: ten steps take a good part of the loss away, and two correct programs stay together.
 */
class VariantParityTest {
    private static final int CLASSES = 20;
    private static final int BATCH = 8;
    private static final NetworkVariant ORIGINAL = NetworkVariant.ORIGINAL;

    private enum Case {
        CIFAR10_CNN(Kind.CIFAR10_CNN, 32, 1, 5e-5, ORIGINAL),
        ALEXNET_DOGS_CATS(Kind.ALEXNET_DOGS_CATS, 67, 0.25, 7e-7, ORIGINAL),
        ALEXNET_EXPERIMENT_1(
                Kind.ALEXNET,
                67,
                0.25,
                3e-6,
                ORIGINAL.withActivation(Nonlinearity.RELU).withNorm(NormPosition.BEFORE_ACTIVATION)),
        VGG16_ELU(
                Kind.VGG16,
                32,
                0.25,
                3e-6,
                ORIGINAL.withActivation(Nonlinearity.elu(1)).withNorm(NormPosition.BEFORE_ACTIVATION)),
        VGG16_OF_THE_PAPER(
                Kind.VGG16,
                32,
                0.25,
                1e-3,
                ORIGINAL.withActivation(Nonlinearity.RELU).withNorm(NormPosition.NONE)),
        RESNET18(Kind.RESNET18, 64, 0.25, 1e-5, ORIGINAL),
        RESNET18_TORCHVISION(Kind.RESNET18, 64, 0.25, 1e-5, ORIGINAL.withDesign(ResNet.Design.TORCHVISION)),
        RESNET34(Kind.RESNET34, 64, 0.25, 1e-5, ORIGINAL),
        RESNET34_TORCHVISION(Kind.RESNET34, 64, 0.25, 2e-6, ORIGINAL.withDesign(ResNet.Design.TORCHVISION)),
        RESNET50_POST_ACTIVATION(Kind.RESNET50, 64, 0.25, 3e-8, ORIGINAL.withDesign(ResNet.Design.POST_ACTIVATION)),
        RESNET50_KERAS(Kind.RESNET50, 64, 0.25, 3e-8, ORIGINAL.withDesign(ResNet.Design.KERAS)),
        RESNET101(Kind.RESNET101, 64, 0.125, 1e-7, ORIGINAL),
        RESNET152(Kind.RESNET152, 64, 0.125, 1e-8, ORIGINAL),
        SQUEEZENET_WITH_NORM(
                Kind.SQUEEZENET,
                99,
                0.25,
                4e-7,
                ORIGINAL.withActivation(Nonlinearity.RELU)
                        .withNorm(NormPosition.AFTER_ACTIVATION)
                        .withGlobalAverage(true)),
        MOBILENET_V1(Kind.MOBILENET_V1, 64, 0.25, 1e-6, ORIGINAL),
        MOBILENET_V2(Kind.MOBILENET_V2, 64, 0.25, 4e-7, ORIGINAL),
        MOBILENET_V2_SYMMETRIC(Kind.MOBILENET_V2, 64, 0.25, 4e-7, ORIGINAL.withSymmetricPadding(true));

        private final NetworkSpec spec;
        private final double rate;

        Case(Kind kind, int side, double multiplier, double rate, NetworkVariant variant) {
            spec = new NetworkSpec(kind, side, side, 3, CLASSES, kind.defaultNormMomentum(), multiplier, variant);
            this.rate = rate;
        }

        Task task() {
            return new Task(spec::build, Shape.of(spec.height(), spec.width(), 3), CLASSES, BATCH, rate);
        }
    }

    @ParameterizedTest
    @EnumSource
    void outputsInEvaluationMode(Case network) {
        try (Backend backend = CpuBackend.open(2)) {
            assertThat(Parity.outputDifference(network.task(), backend)).isLessThanOrEqualTo(1e-4);
        }
    }

    @ParameterizedTest
    @EnumSource
    void tenSteps(Case network) {
        try (Backend backend = CpuBackend.open(2)) {
            Parity parity = Parity.run(network.task(), backend, DType.F32);
            parity.assertLosses(1e-3);
            assertThat(parity.ours()[9]).as("loss after training").isLessThan(0.95 * parity.ours()[0]);
            assertThat(parity.differenceOverMovement())
                    .as("difference of the parameters over their movement")
                    .isLessThanOrEqualTo(0.05);
        }
    }
}
