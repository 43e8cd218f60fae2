package tenon.apps.networks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.backend.shapes.ShapeBackend;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dropout;
import tenon.layers.FeatureMaps;
import tenon.layers.Initializer;
import tenon.layers.Module;
import tenon.layers.blocks.DepthwiseSeparable;
import tenon.layers.blocks.InvertedResidual;

class MobileNetTest {
    private static final Architecture V1 = new Architecture(() -> new MobileNetV1(3, 1000), 1, 224, 224, 3);
    private static final Architecture V2 = new Architecture(() -> new MobileNetV2(3, 1000), 1, 224, 224, 3);

    private static MobileNetV1 v1(double multiplier, boolean samePadding) {
        return new MobileNetV1(
                3,
                1000,
                multiplier,
                2,
                samePadding,
                MobileNetV1.DROPOUT,
                Activation.RELU6,
                BatchNormSpec.keras(),
                Initializer.glorotUniform());
    }

    private static MobileNetV2 v2(double multiplier, boolean samePadding) {
        return new MobileNetV2(
                3,
                1000,
                multiplier,
                2,
                samePadding,
                MobileNetV2.DROPOUT,
                Activation.RELU6,
                BatchNormSpec.keras(),
                Initializer.glorotUniform());
    }

    // ---- the block ----

    private static DepthwiseSeparable separable(int channels, int filters) {
        return new DepthwiseSeparable(
                channels, filters, 1, true, Activation.RELU6, BatchNormSpec.keras(), Initializer.glorotUniform());
    }

    private static Conv2d standard(int channels, int filters) {
        return Conv2d.builder(channels, filters, 3).padding(1).bias(false).build();
    }

    @Test
    void costsOfASeparableConvolution() {
        Architecture separable = new Architecture(() -> separable(512, 512), 1, 14, 14, 512);
        assertThat(separable.multiplyAdds("depthwise")).isEqualTo(903_168);
        assertThat(separable.multiplyAdds("pointwise")).isEqualTo(51_380_224);
        Architecture standard = new Architecture(() -> standard(512, 512), 1, 14, 14, 512);
        assertThat(standard.summary().multiplyAdds()).isEqualTo(462_422_016);

        assertThat(separable.parameters("depthwise.conv") + separable.parameters("pointwise.conv"))
                .isEqualTo(9 * 512 + 512 * 512);
        Architecture weights = new Architecture(() -> separable(128, 256), 1, 14, 14, 128);
        assertThat(weights.parameters("depthwise.conv") + weights.parameters("pointwise.conv"))
                .isEqualTo(33_920);
        assertThat(new Architecture(() -> standard(128, 256), 1, 14, 14, 128)
                        .summary()
                        .parameters())
                .isEqualTo(294_912);
    }

    /** 1 / D + 1 / K². */
    @ParameterizedTest
    @CsvSource({"256, 0.1150174", "512, 0.1130642"})
    void shareOfAStandardConvolution(int filters, double share) {
        double separable = new Architecture(() -> separable(64, filters), 1, 14, 14, 64)
                .summary()
                .multiplyAdds();
        double standard = new Architecture(() -> standard(64, filters), 1, 14, 14, 64)
                .summary()
                .multiplyAdds();
        assertThat(separable / standard).isCloseTo(share, within(5e-8));
    }

    // ---- V1 ----

    @ParameterizedTest
    @CsvSource({
        "conv1, 112, 32, 928",
        "block1, 112, 64, 2528",
        "block2, 56, 128, 9152",
        "block3, 56, 128, 18048",
        "block4, 28, 256, 34688",
        "block5, 28, 256, 68864",
        "block6, 14, 512, 134912",
        "block7, 14, 512, 268800",
        "block11, 14, 512, 268800",
        "block12, 7, 1024, 531968",
        "block13, 7, 1024, 1061888",
        "pool, 1, 1024, 0",
    })
    void layersOfV1(String name, int side, int channels, long parameters) {
        assertThat(V1.output(name)).containsExactly(side, side, channels);
        assertThat(V1.parameters(name)).isEqualTo(parameters);
    }

    @Test
    void totalsOfV1() {
        assertThat(V1.output("fc")).containsExactly(1000);
        assertThat(V1.parameters("fc")).isEqualTo(1_025_000);
        assertThat(V1.summary().parameters()).isEqualTo(4_231_976);
        assertThat(V1.summary().trainable()).isEqualTo(4_231_976);
        assertThat(V1.summary().total()).isEqualTo(4_253_864);
        assertThat(V1.summary().parameters() - V1.parameters("fc")).isEqualTo(3_206_976);
        assertThat(V1.summary().multiplyAdds()).isEqualTo(568_740_352);
        Architecture ten = new Architecture(() -> new MobileNetV1(3, 10), 1, 224, 224, 3);
        assertThat(ten.summary().parameters()).isEqualTo(3_217_226);
    }

    @ParameterizedTest
    @CsvSource({"1, 4231976, 568.7", "0.75, 2585560, 325.4", "0.5, 1331592, 149.5", "0.25, 470072, 41.0"})
    void widthsOfV1(double multiplier, long parameters, String millions) {
        Architecture net = new Architecture(() -> v1(multiplier, true), 1, 224, 224, 3);
        assertThat(net.summary().parameters()).isEqualTo(parameters);
        assertThat("%.1f".formatted(net.summary().multiplyAdds() / 1e6)).isEqualTo(millions);
    }

    @ParameterizedTest
    @CsvSource({"192, 418.1", "160, 290.7", "128, 186.4"})
    void resolutionsOfV1(int side, String millions) {
        Architecture net = new Architecture(() -> new MobileNetV1(3, 1000), 1, side, side, 3);
        assertThat("%.1f".formatted(net.summary().multiplyAdds() / 1e6)).isEqualTo(millions);
    }

    @Test
    void mapsOfV1ForADetector() {
        Architecture net = new Architecture(() -> new MobileNetV1(3, 10), 1, 300, 300, 3);
        assertThat(net.output("block11")).containsExactly(19, 19, 512);
        assertThat(net.output("block13")).containsExactly(10, 10, 1024);
    }

    /** As a detector asks for them; nothing runs behind the last map. */
    @Test
    void mapsForADetectorByName() {
        try (var _ = Scope.open("maps", new ShapeBackend())) {
            Tensor images = Tensor.empty(Shape.of(2, 300, 300, 3), DType.F32);
            MobileNetV1 v1 = new MobileNetV1(3, 10);
            Tensor[] first = FeatureMaps.of(v1, MobileNetV1.SSD_MAPS).apply(images);
            assertThat(first)
                    .extracting(Tensor::shape)
                    .containsExactly(Shape.of(2, 19, 19, 512), Shape.of(2, 10, 10, 1024));
            MobileNetV2 v2 = new MobileNetV2(3, 10);
            FeatureMaps maps = FeatureMaps.of(v2, MobileNetV2.SSD_MAPS);
            assertThat(maps).hasToString("FeatureMaps(block14.expand, conv2)");
            assertThat(maps.apply(images))
                    .extracting(Tensor::shape)
                    .containsExactly(Shape.of(2, 19, 19, 576), Shape.of(2, 10, 10, 1280));
            // Whatever the width, and in any order.
            MobileNetV2 narrow = v2(0.5, true);
            assertThat(FeatureMaps.of(narrow, List.of("conv2", "block3", "block14.expand", "conv1"))
                            .apply(images))
                    .extracting(Tensor::shape)
                    .containsExactly(
                            Shape.of(2, 10, 10, 1280),
                            Shape.of(2, 75, 75, 16),
                            Shape.of(2, 19, 19, 288),
                            Shape.of(2, 150, 150, 16));
        }
    }

    @Test
    void kindsOfLayersOfV1() {
        assertThat(V1.count(DepthwiseSeparable.class)).isEqualTo(13);
        assertThat(V1.settings(Conv2d.class)).hasSize(27).allMatch(conv -> conv.endsWith("no bias)"));
        assertThat(V1.settings(Conv2d.class).stream().filter(conv -> conv.contains("groups=")))
                .hasSize(13);
        assertThat(V1.settings(BatchNorm.class))
                .hasSize(27)
                .allMatch(norm -> norm.endsWith("epsilon=0.001, momentum=0.01, relu6)"));
        assertThat(V1.settings(Dropout.class)).containsExactly("Dropout(rate=0.001)");
        assertThat(V1.names())
                .startsWith(
                        "conv1.conv",
                        "conv1.bn",
                        "block1.depthwise.conv",
                        "block1.depthwise.bn",
                        "block1.pointwise.conv");
    }

    // ---- V2 ----

    @ParameterizedTest
    @CsvSource({
        "conv1, 112, 32, 928",
        "block1, 112, 16, 896",
        "block2, 56, 24, 5136",
        "block3, 56, 24, 8832",
        "block4, 28, 32, 10000",
        "block5, 28, 32, 14848",
        "block6, 28, 32, 14848",
        "block7, 14, 64, 21056",
        "block8, 14, 64, 54272",
        "block9, 14, 64, 54272",
        "block10, 14, 64, 54272",
        "block11, 14, 96, 66624",
        "block12, 14, 96, 118272",
        "block13, 14, 96, 118272",
        "block14, 7, 160, 155264",
        "block15, 7, 160, 320000",
        "block16, 7, 160, 320000",
        "block17, 7, 320, 473920",
        "conv2, 7, 1280, 412160",
        "pool, 1, 1280, 0",
    })
    void layersOfV2(String name, int side, int channels, long parameters) {
        assertThat(V2.output(name)).containsExactly(side, side, channels);
        assertThat(V2.parameters(name)).isEqualTo(parameters);
    }

    @Test
    void totalsOfV2() {
        assertThat(V2.output("fc")).containsExactly(1000);
        assertThat(V2.summary().parameters()).isEqualTo(3_504_872);
        assertThat(V2.summary().trainable()).isEqualTo(3_504_872);
        assertThat(V2.summary().total()).isEqualTo(3_538_984);
        assertThat(V2.summary().parameters() - V2.parameters("fc")).isEqualTo(2_223_872);
        assertThat(V2.summary().multiplyAdds()).isEqualTo(300_774_272);
        Architecture ten = new Architecture(() -> new MobileNetV2(3, 10), 1, 224, 224, 3);
        assertThat(ten.summary().parameters()).isEqualTo(2_236_682);
    }

    /** Counts of the published networks of these widths. */
    @ParameterizedTest
    @CsvSource({"1.4, 6108776", "1, 3504872", "0.5, 1968680"})
    void widthsOfV2(double multiplier, long parameters) {
        Architecture net = new Architecture(() -> v2(multiplier, true), 1, 96, 96, 3);
        assertThat(net.summary().parameters()).isEqualTo(parameters);
    }

    @Test
    void tenBlocksOfV2AddTheirInput() {
        assertThat(V2.count(InvertedResidual.class)).isEqualTo(17);
        assertThat(V2.settings(InvertedResidual.class).stream()
                        .map(text -> text.startsWith("InvertedResidual(residual")))
                .containsExactly(
                        false, false, true, false, true, true, false, true, true, true, false, true, true, false, true,
                        true, false);
    }

    @Test
    void kindsOfLayersOfV2() {
        assertThat(V2.settings(Conv2d.class)).hasSize(52).allMatch(conv -> conv.endsWith("no bias)"));
        assertThat(V2.settings(BatchNorm.class)).hasSize(52);
        assertThat(V2.settings(BatchNorm.class).stream().filter(norm -> norm.endsWith(", relu6)")))
                .hasSize(35);
        assertThat(V2.settings(Dropout.class)).containsExactly("Dropout(rate=0.2)");
        assertThat(V2.stateNames())
                .contains("block1.depthwise.conv.weight", "block2.expand.conv.weight", "block17.project.bn.gamma")
                .doesNotContain("block1.expand.conv.weight");
    }

    // ---- both ----

    @Test
    void aSmallStemKeepsTheResolution() {
        Architecture small = new Architecture(
                () -> new MobileNetV1(
                        3, 10, 1, 1, true, 0, Activation.RELU6, BatchNormSpec.keras(), Initializer.glorotUniform()),
                1,
                32,
                32,
                3);
        assertThat(small.summary().trainable()).isEqualTo(3_217_226);
        assertThat(small.output("conv1")).containsExactly(32, 32, 32);
        assertThat(small.output("block13")).containsExactly(2, 2, 1024);
        Architecture large = new Architecture(() -> v1(1, true), 1, 64, 64, 3);
        assertThat(small.multiplyAdds("block6")).isEqualTo(large.multiplyAdds("block6"));

        Architecture second = new Architecture(
                () -> new MobileNetV2(
                        3, 10, 1, 1, true, 0, Activation.RELU6, BatchNormSpec.keras(), Initializer.glorotUniform()),
                1,
                32,
                32,
                3);
        assertThat(second.output("conv1")).containsExactly(32, 32, 32);
        assertThat(second.output("conv2")).containsExactly(2, 2, 1280);
    }

    @Test
    void symmetricPaddingGivesTheSameShapes() {
        for (int side : new int[] {224, 225, 300}) {
            for (Architecture net : new Architecture[] {
                new Architecture(() -> v1(1, false), 1, side, side, 3),
                new Architecture(() -> v2(1, false), 1, side, side, 3)
            }) {
                int last = Math.ceilDiv(side, 32);
                String name = net.names().contains("conv2.conv") ? "conv2" : "block13";
                assertThat(net.output(name)).startsWith(last, last);
            }
        }
        assertThat(new Architecture(() -> v2(1, false), 1, 32, 32, 3).settings(Conv2d.class))
                .noneMatch(conv -> conv.contains("padding=same"));
    }

    @Test
    void startWithGlorotWeightsAndProbabilities() {
        Generator.current().manualSeed(4);
        try (Backend backend = CpuBackend.open(2);
                var _ = Scope.open("model", backend)) {
            Module v1 = new MobileNetV1(3, 1000);
            // sqrt(6 / (9·1024 + 9)): in and out of a depthwise filter count as in Keras.
            InitialWeights.assertUniform(v1, "block13.depthwise.conv.weight", 0.025503);
            InitialWeights.assertUniform(v1, "block13.pointwise.conv.weight", 0.054127);
            InitialWeights.assertUniform(v1, "fc.weight", 0.054447);
            InitialWeights.assertConstants(v1);
            Outputs.assertProbabilities(v1, 224);
            Module v2 = new MobileNetV2(3, 1000);
            InitialWeights.assertConstants(v2);
            Outputs.assertProbabilities(v2, 224);
        }
    }
}
