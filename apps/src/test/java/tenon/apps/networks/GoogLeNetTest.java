package tenon.apps.networks;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.engine.Generator;
import tenon.engine.Scope;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dense;
import tenon.layers.Dropout;
import tenon.layers.GlobalAvgPool2d;
import tenon.layers.Initializer;
import tenon.layers.MaxPool2d;
import tenon.layers.Module;
import tenon.layers.blocks.Inception;

class GoogLeNetTest {
    private static final Architecture NET = new Architecture(() -> new GoogLeNet(3, 1000), 1, 224, 224, 3);

    @ParameterizedTest
    @CsvSource({
        "conv1_1, 112, 64, 9536, 118013952",
        "pool1, 56, 64, 0, 0",
        "conv1_2, 56, 64, 4224, 12845056",
        "conv1_3, 56, 192, 110976, 346816512",
        "pool2, 28, 192, 0, 0",
        "inception3a, 28, 256, 164064, 128049152",
        "inception3b, 28, 480, 389376, 304267264",
        "pool3, 14, 480, 0, 0",
        "inception4a, 14, 512, 376800, 73608192",
        "inception4b, 14, 512, 449808, 87908352",
        "inception4c, 14, 512, 510768, 99850240",
        "inception4d, 14, 528, 606080, 118515712",
        "inception4e, 14, 832, 869376, 169996288",
        "pool4, 7, 832, 0, 0",
        "inception5a, 7, 832, 1044480, 51079168",
        "inception5b, 7, 1024, 1445344, 70697984",
        "pool5, 1, 1024, 0, 0",
    })
    void layers(String name, int side, int channels, long trained, long multiplyAdds) {
        assertThat(NET.output(name)).containsExactly(side, side, channels);
        assertThat(NET.trained(name)).isEqualTo(trained);
        assertThat(NET.multiplyAdds(name)).isEqualTo(multiplyAdds);
    }

    @Test
    void totals() {
        assertThat(NET.output("fc1")).containsExactly(1000);
        assertThat(NET.parameters("fc1")).isEqualTo(1_025_000);
        assertThat(NET.trainedOutsideNorms()).isEqualTo(6_998_552);
        assertThat(NET.summary().trainable()).isEqualTo(7_005_832);
        assertThat(NET.summary().parameters()).isEqualTo(7_013_112);
        assertThat(NET.summary().total()).isEqualTo(7_027_672);
        assertThat(NET.summary().multiplyAdds()).isEqualTo(1_582_671_872);

        BatchNormSpec learnedGamma = BatchNormSpec.mxnet().withFrozenGamma(false);
        Architecture learned = new Architecture(
                () -> new GoogLeNet(3, 1000, 1, learnedGamma, Initializer.glorotUniform()), 1, 224, 224, 3);
        assertThat(learned.summary().trainable()).isEqualTo(7_013_112);
        assertThat(learned.summary().total()).isEqualTo(7_027_672);
    }

    @ParameterizedTest
    @CsvSource({"10, 5991082", "100, 6083332", "200, 6185832"})
    void otherClassCounts(int classes, long trained) {
        Architecture net = new Architecture(() -> new GoogLeNet(3, classes), 1, 224, 224, 3);
        assertThat(net.summary().trainable()).isEqualTo(trained);
    }

    @Test
    void kindsOfLayers() {
        assertThat(NET.settings(Conv2d.class)).hasSize(57).noneMatch(conv -> conv.contains("no bias"));
        assertThat(NET.settings(BatchNorm.class))
                .hasSize(57)
                .allMatch(norm -> norm.endsWith("epsilon=0.001, momentum=0.1, frozen gamma, relu)"));
        assertThat(NET.count(Dense.class)).isEqualTo(1);
        assertThat(NET.count(Inception.class)).isEqualTo(9);
        assertThat(NET.settings(MaxPool2d.class).stream().filter(pool -> pool.contains("stride=2x2, padding=1x1")))
                .hasSize(4);
        assertThat(NET.settings(MaxPool2d.class).stream().filter(pool -> pool.contains("stride=1x1, padding=1x1")))
                .hasSize(9);
        assertThat(NET.count(GlobalAvgPool2d.class)).isEqualTo(1);
        assertThat(NET.settings(Dropout.class)).containsExactly("Dropout(rate=0.4)");
    }

    @ParameterizedTest
    @CsvSource({"32, 1", "193, 7", "224, 7", "225, 8"})
    void averagesTheWholeMapOfAnySize(int side, int last) {
        Architecture net = new Architecture(() -> new GoogLeNet(3, 10), 1, side, side, 3);
        assertThat(net.output("inception5b")).containsExactly(last, last, 1024);
        assertThat(net.output("fc1")).containsExactly(10);
    }

    @Test
    void filtersAreMultiplied() {
        Architecture quarter = new Architecture(
                () -> new GoogLeNet(3, 10, 0.25, BatchNormSpec.mxnet(), Initializer.glorotUniform()), 1, 32, 32, 3);
        // 16, 32, 8 (4 to the next multiple), 8 and, of the joined branches, 16 + 32 + 8 + 8.
        assertThat(quarter.output("inception3a")).containsExactly(4, 4, 64);
        assertThat(quarter.output("inception5b")).containsExactly(1, 1, 96 + 96 + 32 + 32);
    }

    @Test
    void startsWithGlorotWeightsAndProbabilities() {
        Generator.current().manualSeed(4);
        try (Backend backend = CpuBackend.open(2);
                var _ = Scope.open("model", backend)) {
            Module net = new GoogLeNet(3, 1000);
            InitialWeights.assertUniform(net, "conv1_1.conv.weight", 0.042750);
            InitialWeights.assertUniform(net, "conv1_3.conv.weight", 0.051031);
            InitialWeights.assertUniform(net, "fc1.weight", 0.054447);
            InitialWeights.assertConstants(net);
            assertThat(Outputs.biases(net)).isEqualTo(8_280);
            Outputs.assertProbabilities(net, 224);
        }
    }
}
