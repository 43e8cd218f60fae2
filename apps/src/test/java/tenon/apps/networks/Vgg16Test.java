package tenon.apps.networks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.engine.Generator;
import tenon.engine.Scope;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.ActivationLayer;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dense;
import tenon.layers.Dropout;
import tenon.layers.Initializer;
import tenon.layers.MaxPool2d;
import tenon.layers.Module;
import tenon.layers.PRelu;
import tenon.optim.Optimizer;
import tenon.optim.Sgd;
import tenon.optim.UpdateRules;

class Vgg16Test {
    private static final Architecture NET = new Architecture(() -> new Vgg16(224, 224, 3, 1000), 1, 224, 224, 3);

    @ParameterizedTest
    @CsvSource({
        "conv1_1, 224, 64, 1792",
        "conv1_2, 224, 64, 36928",
        "pool1, 112, 64, 0",
        "conv2_1, 112, 128, 73856",
        "conv2_2, 112, 128, 147584",
        "pool2, 56, 128, 0",
        "conv3_1, 56, 256, 295168",
        "conv3_2, 56, 256, 590080",
        "conv3_3, 56, 256, 590080",
        "pool3, 28, 256, 0",
        "conv4_1, 28, 512, 1180160",
        "conv4_2, 28, 512, 2359808",
        "conv4_3, 28, 512, 2359808",
        "pool4, 14, 512, 0",
        "conv5_1, 14, 512, 2359808",
        "conv5_2, 14, 512, 2359808",
        "conv5_3, 14, 512, 2359808",
        "pool5, 7, 512, 0",
    })
    void imageLayers(String name, int side, int channels, long parameters) {
        assertThat(NET.output(name)).containsExactly(side, side, channels);
        assertThat(NET.parameters(name)).isEqualTo(parameters);
    }

    @ParameterizedTest
    @CsvSource({"flatten, 25088, 0", "fc1, 4096, 102764544", "fc2, 4096, 16781312", "fc3, 1000, 4097000"})
    void denseLayers(String name, int features, long parameters) {
        assertThat(NET.output(name)).containsExactly(features);
        assertThat(NET.parameters(name)).isEqualTo(parameters);
    }

    @Test
    void totals() {
        long slopes = NET.stateNames().stream()
                .filter(name -> name.endsWith(".slope"))
                .mapToLong(name -> NET.parameters(name.substring(0, name.indexOf('.'))))
                .sum();
        assertThat(slopes).isEqualTo(12_416);
        assertThat(NET.trainedOutsideNorms() - slopes).isEqualTo(138_357_544);
        assertThat(NET.summary().trainable()).isEqualTo(138_382_376);
        assertThat(NET.summary().parameters()).isEqualTo(138_394_792);
        assertThat(NET.summary().total()).isEqualTo(138_419_624);
        assertThat(NET.summary().multiplyAdds()).isEqualTo(15_470_264_320L);

        BatchNormSpec learnedGamma = BatchNormSpec.mxnet().withFrozenGamma(false);
        Architecture learned =
                variant(Nonlinearity.prelu(Vgg16.SLOPE), NormPosition.AFTER_ACTIVATION, learnedGamma, 0.25);
        assertThat(learned.summary().trainable()).isEqualTo(138_394_792);
        assertThat(learned.summary().total()).isEqualTo(138_419_624);

        Architecture ten = new Architecture(() -> new Vgg16(224, 224, 3, 10), 1, 224, 224, 3);
        assertThat(ten.parameters("fc3")).isEqualTo(40_970);
    }

    @Test
    void ordersLayersAsTheOriginal() {
        assertThat(NET.names())
                .startsWith("conv1_1", "act1_1", "bn1_1", "conv1_2", "act1_2", "bn1_2", "pool1", "do1", "conv2_1")
                .containsSubsequence("conv4_3", "act4_3", "bn4_3", "pool4", "do4", "conv5_1")
                .endsWith("fc1", "act6_1", "bn6_1", "do6", "fc2", "act7_1", "bn7_1", "do7", "fc3")
                .doesNotHaveDuplicates();
        assertThat(NET.count(Conv2d.class)).isEqualTo(13);
        assertThat(NET.count(Dense.class)).isEqualTo(3);
        assertThat(NET.count(PRelu.class)).isEqualTo(15);
        assertThat(NET.settings(BatchNorm.class))
                .hasSize(15)
                .allMatch(norm -> norm.endsWith("epsilon=0.001, momentum=0.1, frozen gamma)"));
        assertThat(NET.settings(MaxPool2d.class))
                .hasSize(5)
                .containsOnly("MaxPool2d(kernel=2x2, stride=2x2, padding=0x0)");
        assertThat(NET.settings(Dropout.class))
                .containsExactly(
                        "Dropout(rate=0.25)",
                        "Dropout(rate=0.25)",
                        "Dropout(rate=0.25)",
                        "Dropout(rate=0.25)",
                        "Dropout(rate=0.25)",
                        "Dropout(rate=0.5)",
                        "Dropout(rate=0.5)");
    }

    private static Architecture variant(
            Nonlinearity activation, NormPosition position, BatchNormSpec norm, double poolDropout) {
        UnitStyle style = new UnitStyle(activation, position, norm, Initializer.msraPrelu());
        return new Architecture(() -> new Vgg16(224, 224, 3, 1000, 1, poolDropout, style), 1, 224, 224, 3);
    }

    @Test
    void otherActivationsAndPlacesOfTheNorm() {
        Architecture elu =
                variant(Nonlinearity.elu(1), NormPosition.BEFORE_ACTIVATION, BatchNormSpec.mxnet(), Vgg16.POOL_DROPOUT);
        assertThat(elu.names())
                .startsWith("conv1_1", "bn1_1", "act1_1", "conv1_2")
                .containsSubsequence("fc2", "bn7_1", "act7_1");
        assertThat(elu.settings(ActivationLayer.class)).hasSize(15).containsOnly("ActivationLayer(elu, alpha=1.0)");
        assertThat(elu.summary().parameters()).isEqualTo(138_357_544 + 2 * 12_416);

        Architecture paper = variant(Nonlinearity.RELU, NormPosition.NONE, BatchNormSpec.mxnet(), 0);
        assertThat(paper.summary().parameters()).isEqualTo(138_357_544);
        assertThat(paper.summary().total()).isEqualTo(138_357_544);
        assertThat(paper.names())
                .startsWith("conv1_1", "conv1_2", "pool1", "conv2_1")
                .endsWith("flatten", "fc1", "do6", "fc2", "do7", "fc3");
    }

    @Test
    void filtersAndUnitsAreMultiplied() {
        Architecture eighth = new Architecture(
                () -> new Vgg16(32, 32, 3, 10, 0.125, Vgg16.POOL_DROPOUT, Vgg16.style()), 1, 32, 32, 3);
        assertThat(eighth.output("pool5")).containsExactly(1, 1, 64);
        assertThat(eighth.parameters("conv1_1")).isEqualTo(27 * 8 + 8);
        assertThat(eighth.parameters("fc2")).isEqualTo(512 * 512 + 512);
    }

    @Test
    void otherSizes() {
        Architecture small = new Architecture(() -> new Vgg16(64, 64, 3, 5), 1, 64, 64, 3);
        assertThat(small.output("flatten")).containsExactly(2048);
        Architecture smallest = new Architecture(() -> new Vgg16(32, 32, 1, 5), 2, 32, 32, 1);
        assertThat(smallest.output("pool5")).containsExactly(1, 1, 512);
        assertThat(smallest.output("fc3")).containsExactly(5);
    }

    /** With PReLU, MSRA weights and batch norm all sixteen layers learn at once, with the original's rate, momentum and decay. */
    @Test
    void learnsFromTheFirstStepsWithoutPretraining() {
        Generator.current().manualSeed(4);
        try (Backend backend = CpuBackend.open(2);
                var _ = Scope.open("model", backend)) {
            Module net = new Vgg16(64, 64, 3, 10, 0.125, Vgg16.POOL_DROPOUT, Vgg16.style());
            Optimizer sgd = new Sgd(net.parameters(), 0.9, false, UpdateRules.weightDecay(5e-4));
            double[] losses = IntStream.range(0, 20)
                    .mapToDouble(step -> Bars.step(net, sgd, 64, step, 0.01))
                    .toArray();
            double first = Arrays.stream(losses, 0, 5).average().orElseThrow();
            double last = Arrays.stream(losses, 15, 20).average().orElseThrow();
            assertThat(last).isLessThan(Math.log(10)).isLessThan(first / 2);
        }
    }

    @Test
    @Tag("slow")
    void startsWithMsraWeightsAndProbabilities() {
        Generator.current().manualSeed(4);
        try (Backend backend = CpuBackend.open(2);
                var _ = Scope.open("model", backend)) {
            Module net = new Vgg16(224, 224, 3, 1000);
            InitialWeights.assertNormal(net, "conv1_1.weight", 0.07901);
            InitialWeights.assertNormal(net, "conv1_2.weight", 0.05717);
            InitialWeights.assertNormal(net, "conv5_3.weight", 0.02021);
            InitialWeights.assertNormal(net, "fc1.weight", 0.01136);
            InitialWeights.assertNormal(net, "fc2.weight", 0.02144);
            InitialWeights.assertNormal(net, "fc3.weight", 0.02718);
            InitialWeights.assertConstants(net);
            net.namedParameters().forEach((name, parameter) -> {
                if (name.endsWith(".slope")) {
                    assertThat(parameter.value().toFloatArray()).as(name).containsOnly(0.25f);
                }
            });
            Outputs.assertProbabilities(net, 224);
        }
    }
}
