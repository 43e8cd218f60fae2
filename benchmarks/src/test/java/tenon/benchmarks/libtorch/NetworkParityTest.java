package tenon.benchmarks.libtorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.apps.networks.AlexNet;
import tenon.apps.networks.GoogLeNet;
import tenon.apps.networks.MiniVggNet;
import tenon.apps.networks.ResNet;
import tenon.apps.networks.SqueezeNet;
import tenon.apps.networks.Vgg16;
import tenon.benchmarks.libtorch.Parity.Task;
import tenon.engine.DType;
import tenon.engine.Precision;
import tenon.engine.Shape;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.ops.Activation;
import tenon.layers.Initializer;
import tenon.layers.Module;

/**
 * Parity of the measured networks with libtorch in F32, and of BF16 with F32 here, with all their channels. Pictures are small to be quick, or of the
 * original size with {@code mvn -q test -pl benchmarks -am -Dtest=NetworkParityTest -Dsurefire.failIfNoSpecifiedTests=false -Dtenon.parity=full}.
 *
 * <p>Each network overfits one batch at a rate at which ten steps take a good part of its loss away, so the later losses depend on all gradients. At
 * higher rates two correct programs part, see {@link ParityTest}; batch norm over few values makes gradients so large that these rates are small.
 */
class NetworkParityTest {
    private static final boolean FULL = "full".equals(System.getProperty("tenon.parity"));
    private static final int CLASSES = FULL ? 1000 : 100;
    private static final int BATCH = 8;
    /** Of the largest logit. */
    private static final double OUTPUT_TOLERANCE = 1e-4;

    private static final double LOSS_TOLERANCE = 1e-3;
    private static final double MOVEMENT_TOLERANCE = 0.05;

    /**
     * Every activation is rounded to 2^-9 of its value; over the 10 to 50 layers of these networks 1e-3 to 1e-2 of a loss are left of that, and up to
     * 2.3e-2 in GoogLeNet, whose last norms see 32 values at this size, depending on which algorithm convolves.
     */
    private static final double BF16_FORWARD = 0.04;
    /**
     * Of the first loss. Rounding turns signs of pre-activations and so the gradient's directions, in every step anew and most in the deep networks, whose
     * norms see few values at these sizes: they descend more slowly, MiniVGG, AlexNet, SqueezeNet and VGG16 by 1 %, GoogLeNet by 6 %, ResNet-50 by 10 %.
     */
    private static final double BF16_TRAINING = 0.15;

    private enum Case {
        MINIVGG(32, 32, 1e-5, side -> new MiniVggNet(side, side, 3, CLASSES)),
        SQUEEZENET(
                67,
                227,
                0.1,
                side -> new SqueezeNet(
                        side,
                        side,
                        3,
                        CLASSES,
                        1,
                        side == 67 ? 3 : SqueezeNet.LAST_SIDE,
                        Activation.elu(0.25f),
                        null,
                        Initializer.glorotUniform())),
        ALEXNET(67, 227, 1e-6, side -> new AlexNet(side, side, 3, CLASSES)),
        GOOGLENET(64, 224, 2e-7, _ -> new GoogLeNet(3, CLASSES)),
        RESNET50(64, 224, 3e-7, _ -> ResNet.resNet50(3, CLASSES)),
        VGG16(32, 224, 3e-7, side -> new Vgg16(side, side, 3, CLASSES));

        private interface Builder {
            Module build(int side);
        }

        private final int side;
        private final double rate;
        private final Builder builder;

        Case(int small, int original, double rate, Builder builder) {
            side = FULL ? original : small;
            this.rate = rate;
            this.builder = builder;
        }

        Task task() {
            Supplier<Module> network = () -> builder.build(side);
            return new Task(network, Shape.of(side, side, 3), CLASSES, BATCH, rate);
        }
    }

    @ParameterizedTest
    @EnumSource
    void tenStepsInBf16(Case network) {
        try (CpuBackend backend = CpuBackend.open(2)) {
            assumeTrue(Precision.BF16.availableOn(backend), "this processor has no bf16");
            double[] full = Parity.losses(network.task(), backend, Precision.FP32);
            double[] half = Parity.losses(network.task(), backend, Precision.BF16);
            assertThat(half[0]).as("first loss").isCloseTo(full[0], withinPercentage(100 * BF16_FORWARD));
            assertThat(half[9]).as("loss after training").isLessThan(0.95 * half[0]);
            for (int step = 1; step < full.length; step++) {
                assertThat(half[step])
                        .as("loss of step %d", step)
                        .isCloseTo(full[step], within(BF16_TRAINING * full[0]));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void outputsInEvaluationMode(Case network) {
        try (Backend backend = CpuBackend.open(2)) {
            assertThat(Parity.outputDifference(network.task(), backend)).isLessThanOrEqualTo(OUTPUT_TOLERANCE);
        }
    }

    @ParameterizedTest
    @EnumSource
    void tenStepsInF32(Case network) {
        try (Backend backend = CpuBackend.open(2)) {
            Parity parity = Parity.run(network.task(), backend, DType.F32).assertLosses(LOSS_TOLERANCE);
            assertThat(parity.ours()[9]).as("loss after training").isLessThan(0.95 * parity.ours()[0]);
            assertThat(parity.differenceOverMovement())
                    .as("difference of the parameters over their movement")
                    .isLessThanOrEqualTo(MOVEMENT_TOLERANCE);
        }
    }
}
