package tenon.apps.networks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.ops.BatchNormSpec;
import tenon.engine.ops.Losses;
import tenon.layers.ActivationLayer;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dense;
import tenon.layers.Dropout;
import tenon.layers.Initializer;
import tenon.layers.MaxPool2d;
import tenon.layers.Module;
import tenon.layers.PRelu;

class AlexNetTest {
    private static final Architecture NET = new Architecture(() -> new AlexNet(227, 227, 3, 1000), 1, 227, 227, 3);

    private static Architecture variant(NormPosition position, Nonlinearity activation, boolean frozenGamma) {
        BatchNormSpec norm = BatchNormSpec.mxnet().withFrozenGamma(frozenGamma);
        UnitStyle style = new UnitStyle(activation, position, norm, Initializer.glorotUniform());
        return new Architecture(() -> new AlexNet(227, 227, 3, 1000, 1, false, style), 1, 227, 227, 3);
    }

    @ParameterizedTest
    @CsvSource({
        "conv1_1, 55, 96, 34944",
        "pool1, 27, 96, 0",
        "conv2_1, 27, 256, 614656",
        "pool2, 13, 256, 0",
        "conv3_1, 13, 384, 885120",
        "conv3_2, 13, 384, 1327488",
        "conv3_3, 13, 256, 884992",
        "pool3, 6, 256, 0",
    })
    void imageLayers(String name, int side, int channels, long parameters) {
        assertThat(NET.output(name)).containsExactly(side, side, channels);
        assertThat(NET.parameters(name)).isEqualTo(parameters);
    }

    @ParameterizedTest
    @CsvSource({"flatten, 9216, 0", "fc1, 4096, 37752832", "fc2, 4096, 16781312", "fc3, 1000, 4097000"})
    void denseLayers(String name, int features, long parameters) {
        assertThat(NET.output(name)).containsExactly(features);
        assertThat(NET.parameters(name)).isEqualTo(parameters);
    }

    @Test
    void totals() {
        assertThat(NET.trainedOutsideNorms()).isEqualTo(62_378_344);
        assertThat(NET.summary().trainable()).isEqualTo(62_387_912);
        assertThat(NET.summary().parameters()).isEqualTo(62_397_480);
        assertThat(NET.summary().total()).isEqualTo(62_416_616);
        assertThat(NET.summary().multiplyAdds()).isEqualTo(1_135_256_096);

        Architecture learnedGamma = variant(NormPosition.AFTER_ACTIVATION, Nonlinearity.elu(0.25), false);
        assertThat(learnedGamma.summary().trainable()).isEqualTo(62_397_480);
        assertThat(learnedGamma.summary().total()).isEqualTo(62_416_616);

        Architecture ten = new Architecture(() -> new AlexNet(227, 227, 3, 10), 1, 227, 227, 3);
        assertThat(ten.parameters("fc3")).isEqualTo(40_970);
    }

    @Test
    void normalizesAfterTheActivation() {
        assertThat(NET.names())
                .startsWith("conv1_1", "bn1_1", "pool1", "do1", "conv2_1")
                .endsWith("fc1", "bn4_1", "do4", "fc2", "bn5_1", "do5", "fc3");
        assertThat(NET.settings(Conv2d.class)).hasSize(5).allMatch(conv -> conv.endsWith(", elu, alpha=0.25)"));
        assertThat(NET.settings(Dense.class))
                .containsExactly(
                        "Dense(9216 -> 4096, elu, alpha=0.25)",
                        "Dense(4096 -> 4096, elu, alpha=0.25)",
                        "Dense(4096 -> 1000)");
        assertThat(NET.settings(BatchNorm.class))
                .hasSize(7)
                .allMatch(norm -> norm.endsWith("epsilon=0.001, momentum=0.1, frozen gamma)"));
        assertThat(NET.settings(Dropout.class))
                .containsExactly(
                        "Dropout(rate=0.25)",
                        "Dropout(rate=0.25)",
                        "Dropout(rate=0.25)",
                        "Dropout(rate=0.5)",
                        "Dropout(rate=0.5)");
        assertThat(NET.settings(MaxPool2d.class))
                .hasSize(3)
                .containsOnly("MaxPool2d(kernel=3x3, stride=2x2, padding=0x0)");
    }

    @Test
    void canNormalizeBeforeTheActivation() {
        Architecture net = variant(NormPosition.BEFORE_ACTIVATION, Nonlinearity.RELU, true);
        assertThat(net.names())
                .startsWith("conv1_1", "bn1_1", "act1_1", "pool1")
                .endsWith("fc2", "bn5_1", "act5_1", "do5", "fc3");
        assertThat(net.summary().trainable()).isEqualTo(62_387_912);
        assertThat(net.settings(ActivationLayer.class)).hasSize(7).containsOnly("ActivationLayer(relu)");
    }

    @Test
    void experiment1PoolsTheActivationsAndTheOthersTheNorms() {
        Architecture first = variant(NormPosition.BEFORE_ACTIVATION, Nonlinearity.RELU, true);
        assertThat(first.names()).containsSubsequence("act1_1", "pool1", "act2_1", "pool2", "act3_3", "pool3");
        Architecture second = variant(NormPosition.AFTER_ACTIVATION, Nonlinearity.RELU, true);
        assertThat(second.settings(Conv2d.class)).allMatch(conv -> conv.endsWith(", relu)"));
        assertThat(second.names()).isEqualTo(NET.names());
        assertThat(second.summary().trainable()).isEqualTo(62_387_912);
    }

    @Test
    void withoutNorm() {
        Architecture plain = variant(NormPosition.NONE, Nonlinearity.prelu(0.25), true);
        assertThat(plain.count(BatchNorm.class)).isZero();
        assertThat(plain.count(PRelu.class)).isEqualTo(7);
        assertThat(plain.summary().parameters()).isEqualTo(62_378_344 + 9_568);
    }

    @Test
    void smallestPicture() {
        int side = AlexNet.SMALLEST_SIDE;
        Architecture smallest = new Architecture(() -> new AlexNet(side, side, 1, 7), 2, side, side, 1);
        assertThat(smallest.output("pool3")).containsExactly(1, 1, 256);
        assertThat(smallest.output("fc3")).containsExactly(7);
    }

    @Test
    void filtersAndUnitsAreMultiplied() {
        Architecture eighth =
                new Architecture(() -> new AlexNet(67, 67, 3, 10, 0.125, false, AlexNet.style()), 2, 67, 67, 3);
        // 96, 256, 384 and 4096 become 16 (12 to the next multiple of 8), 32, 48 and 512.
        assertThat(eighth.parameters("conv1_1")).isEqualTo(11 * 11 * 3 * 16 + 16);
        assertThat(eighth.parameters("conv2_1")).isEqualTo(5 * 5 * 16 * 32 + 32);
        assertThat(eighth.parameters("conv3_2")).isEqualTo(3 * 3 * 48 * 48 + 48);
        assertThat(eighth.parameters("fc1")).isEqualTo(32 * 512 + 512);
        assertThat(eighth.parameters("fc3")).isEqualTo(512 * 10 + 10);
    }

    /** Unit-variance inputs of the last layer give its logits a variance v, and cross-entropy is ln 1000 + v / 2: v = 1.6, and twice that with dropout. */
    @Test
    @Tag("slow")
    void startsWithGlorotWeightsProbabilitiesAndTheLossTheyPredict() {
        Generator.current().manualSeed(4);
        try (Backend backend = CpuBackend.open(2);
                var _ = Scope.open("model", backend)) {
            Module net = new AlexNet(227, 227, 3, 1000);
            InitialWeights.assertUniform(net, "conv1_1.weight", 0.02238);
            InitialWeights.assertUniform(net, "conv2_1.weight", 0.02611);
            InitialWeights.assertUniform(net, "fc1.weight", 0.02123);
            InitialWeights.assertUniform(net, "fc3.weight", 0.03431);
            InitialWeights.assertConstants(net);
            Outputs.assertProbabilities(net, 227);

            assertThat(trainingLoss(net)).isCloseTo(8.5, within(0.1));
            net.module("do5").eval();
            assertThat(trainingLoss(net)).isCloseTo(7.7, within(0.1));
        }
    }

    /** Of random labels, on average: a thousandth of each class. */
    private static double trainingLoss(Module net) {
        int batch = 32;
        try (var _ = Scope.open("step");
                var _ = GradMode.noGrad()) {
            Tensor labels = Tensor.full(Shape.of(batch, 1000), DType.F32, 1e-3);
            return Losses.softmaxCrossEntropy(net.apply(Outputs.pictures(batch, 227, 5)), labels)
                    .item();
        }
    }
}
