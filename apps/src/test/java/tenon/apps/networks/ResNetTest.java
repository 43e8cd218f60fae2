package tenon.apps.networks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.apps.networks.ResNet.Design;
import tenon.apps.networks.ResNet.Stem;
import tenon.apps.networks.ResNet.Unit;
import tenon.engine.Generator;
import tenon.engine.Scope;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dropout;
import tenon.layers.Initializer;
import tenon.layers.MaxPool2d;
import tenon.layers.Module;
import tenon.layers.blocks.PreActivationUnit;

class ResNetTest {
    private static final Architecture NET = new Architecture(() -> ResNet.resNet50(3, 1000), 1, 224, 224, 3);

    private static final int[] BOTTLENECK_FILTERS = {64, 256, 512, 1024, 2048};

    @ParameterizedTest
    @CsvSource({
        "bn1_1, 224, 3, 3, 0",
        "conv1_1, 112, 64, 9408, 118013952",
        "bn1_2, 112, 64, 128, 0",
        "pool1, 56, 64, 0, 0",
        "stage1.unit1, 56, 256, 74112, 231211008",
        "stage1.unit2, 56, 256, 70400, 218365952",
        "stage1.unit3, 56, 256, 70400, 218365952",
        "stage2.unit1, 28, 512, 377856, 372506624",
        "stage2.unit2, 28, 512, 280064, 218365952",
        "stage2.unit4, 28, 512, 280064, 218365952",
        "stage3.unit1, 14, 1024, 1509376, 372506624",
        "stage3.unit2, 14, 1024, 1117184, 218365952",
        "stage3.unit6, 14, 1024, 1117184, 218365952",
        "stage4.unit1, 7, 2048, 6033408, 372506624",
        "stage4.unit2, 7, 2048, 4462592, 218365952",
        "stage4.unit3, 7, 2048, 4462592, 218365952",
        "bn2_1, 7, 2048, 4096, 0",
        "pool2, 1, 2048, 0, 0",
    })
    void layers(String name, int side, int channels, long trained, long multiplyAdds) {
        assertThat(NET.output(name)).containsExactly(side, side, channels);
        assertThat(NET.trained(name)).isEqualTo(trained);
        assertThat(NET.multiplyAdds(name)).isEqualTo(multiplyAdds);
    }

    @Test
    void totals() {
        assertThat(NET.trained("stage1")).isEqualTo(214_912);
        assertThat(NET.trained("stage2")).isEqualTo(1_218_048);
        assertThat(NET.trained("stage3")).isEqualTo(7_095_296);
        assertThat(NET.trained("stage4")).isEqualTo(14_958_592);
        assertThat(NET.trained("fc1")).isEqualTo(2_049_000);
        assertThat(NET.output("fc1")).containsExactly(1000);
        assertThat(NET.summary().trainable()).isEqualTo(25_549_483);
        assertThat(NET.summary().parameters()).isEqualTo(25_549_483 + 3);
        assertThat(NET.summary().statistics()).isEqualTo(45_574);
        assertThat(NET.summary().total() * Float.BYTES).isEqualTo(102_380_240);
        assertThat(NET.summary().multiplyAdds()).isEqualTo(4_089_184_256L);
    }

    @ParameterizedTest
    @CsvSource({"10, 23520973", "100, 23705383", "200, 23910283"})
    void otherClassCounts(int classes, long trained) {
        Architecture net = new Architecture(() -> ResNet.resNet50(3, classes), 1, 64, 64, 3);
        assertThat(net.summary().trainable()).isEqualTo(trained);
    }

    private static long trained(Unit unit, int[] stages, int[] filters) {
        return new Architecture(
                        () -> new ResNet(
                                3,
                                1000,
                                stages,
                                filters,
                                Stem.IMAGENET,
                                unit,
                                Design.PRE_ACTIVATION,
                                false,
                                ResNet.norm(),
                                Initializer.msraPrelu()),
                        1,
                        32,
                        32,
                        3)
                .summary()
                .trainable();
    }

    @Test
    void otherDepths() {
        Unit bottleneck = Unit.BOTTLENECK;
        assertThat(trained(bottleneck, new int[] {3, 4, 23, 3}, BOTTLENECK_FILTERS))
                .isEqualTo(44_541_611);
        assertThat(trained(bottleneck, new int[] {3, 8, 36, 3}, BOTTLENECK_FILTERS))
                .isEqualTo(60_185_259);
        assertThat(trained(bottleneck, new int[] {2, 2, 2, 2}, BOTTLENECK_FILTERS))
                .isEqualTo(15_987_627);
        assertThat(trained(bottleneck, new int[] {2, 2, 2}, new int[] {64, 256, 512, 1024}))
                .isEqualTo(4_465_579);

        Unit basic = Unit.BASIC;
        int[] filters = {64, 64, 128, 256, 512};
        assertThat(trained(basic, new int[] {2, 2, 2, 2}, filters)).isEqualTo(11_691_947);
        assertThat(trained(basic, new int[] {3, 4, 6, 3}, filters)).isEqualTo(21_800_107);
    }

    private static ResNet of(int depth, double multiplier, Design design) {
        return ResNet.of(
                depth, 3, 1000, multiplier, Stem.IMAGENET, design, false, ResNet.norm(), Initializer.msraPrelu());
    }

    @ParameterizedTest
    @CsvSource({"18, 11691947", "34, 21800107", "50, 25549483", "101, 44541611", "152, 60185259"})
    void thePapersDepths(int depth, long trained) {
        Architecture net = new Architecture(() -> of(depth, 1, Design.PRE_ACTIVATION), 1, 32, 32, 3);
        assertThat(net.summary().trainable()).isEqualTo(trained);
    }

    /** Without pooling before it, a 32×32 picture's first stage costs what a 128×128 picture's does. */
    @Test
    void aSmallStemKeepsTheResolution() {
        Architecture small = new Architecture(
                () -> ResNet.of(
                        18, 3, 10, 1, Stem.SMALL, Design.TORCHVISION, false, ResNet.norm(), Initializer.msraPrelu()),
                1,
                32,
                32,
                3);
        assertThat(small.summary().trainable()).isEqualTo(11_173_962);
        assertThat(small.output("conv1_1")).containsExactly(32, 32, 64);
        assertThat(small.output("stage1")).containsExactly(32, 32, 64);
        assertThat(small.output("stage4")).containsExactly(4, 4, 512);
        assertThat(small.names()).doesNotContain("pool1");
        Architecture large = new Architecture(() -> of(18, 1, Design.TORCHVISION), 1, 128, 128, 3);
        for (int stage = 1; stage <= 4; stage++) {
            assertThat(small.multiplyAdds("stage" + stage)).isEqualTo(large.multiplyAdds("stage" + stage));
        }
    }

    /** The counts that torchvision prints. */
    @ParameterizedTest
    @CsvSource({"18, 11689512", "34, 21797672", "50, 25557032", "101, 44549160", "152, 60192808"})
    void torchvisionsNetworks(int depth, long trained) {
        Architecture net = new Architecture(() -> of(depth, 1, Design.TORCHVISION), 1, 32, 32, 3);
        assertThat(net.summary().trainable()).isEqualTo(trained);
        assertThat(net.summary().parameters()).isEqualTo(trained);
        assertThat(net.names()).startsWith("conv1_1", "bn1_2", "pool1");
    }

    @Test
    void kerassResNet50() {
        Architecture net = new Architecture(() -> of(50, 1, Design.KERAS), 1, 224, 224, 3);
        assertThat(net.summary().total()).isEqualTo(25_636_712);
        assertThat(net.summary().statistics()).isEqualTo(53_120);
        long classifier = net.parameters("fc1");
        assertThat(net.summary().total() - classifier).isEqualTo(23_587_712);
        assertThat(net.summary().trainable() - classifier).isEqualTo(23_534_592);
        assertThat(net.output("stage4")).containsExactly(7, 7, 2048);
        assertThat(net.output("pool2")).containsExactly(1, 1, 2048);
        assertThat(net.output("flatten")).containsExactly(2048);
        assertThat(net.settings(Conv2d.class))
                .hasSize(53)
                .noneMatch(conv -> conv.contains("no bias"))
                .noneMatch(conv -> conv.contains("kernel=3x3, stride=2x2"));
    }

    @Test
    void filtersAreMultiplied() {
        Architecture net = new Architecture(() -> of(50, 0.125, Design.PRE_ACTIVATION), 1, 32, 32, 3);
        assertThat(net.output("conv1_1")).containsExactly(16, 16, 8);
        assertThat(net.output("stage1")).containsExactly(8, 8, 32);
        assertThat(net.output("stage4")).containsExactly(1, 1, 256);
        assertThatThrownBy(() -> of(26, 1, Design.PRE_ACTIVATION))
                .hasMessage("ResNet: depth must be 18, 34, 50, 101 or 152: depth=26 (others are lists of stages)");
    }

    @Test
    void withoutPreActivation() {
        Architecture net = new Architecture(() -> of(50, 1, Design.POST_ACTIVATION), 1, 224, 224, 3);
        assertThat(net.summary().trainable()).isEqualTo(25_557_035);
        assertThat(net.names()).doesNotContain("bn2_1");
        assertThat(net.output("stage4")).containsExactly(7, 7, 2048);
    }

    @Test
    void kindsOfLayers() {
        assertThat(NET.settings(Conv2d.class)).hasSize(53).allMatch(conv -> conv.endsWith("no bias)"));
        assertThat(NET.settings(BatchNorm.class))
                .hasSize(51)
                .allMatch(norm -> norm.contains("epsilon=2.0E-5, momentum=0.1"));
        assertThat(NET.settings(BatchNorm.class).stream().filter(norm -> norm.contains("frozen gamma")))
                .containsExactly("BatchNorm(3, epsilon=2.0E-5, momentum=0.1, frozen gamma)");
        assertThat(NET.count(PreActivationUnit.class)).isEqualTo(16);
        assertThat(NET.stateNames().stream().filter(name -> name.endsWith("projection.weight")))
                .hasSize(4);
        assertThat(NET.stateNames()).contains("stage1.unit2.conv2.weight");
        assertThat(NET.settings(MaxPool2d.class)).containsExactly("MaxPool2d(kernel=3x3, stride=2x2, padding=1x1)");
        assertThat(NET.count(Dropout.class)).isZero();
    }

    @Test
    void batchNormCanBeSetOtherwise() {
        BatchNormSpec norm = ResNet.norm().withMomentum(0.25);
        Architecture net = new Architecture(
                () -> ResNet.of(
                        50, 3, 10, 1, Stem.IMAGENET, Design.PRE_ACTIVATION, true, norm, Initializer.msraPrelu()),
                1,
                32,
                32,
                3);
        assertThat(net.settings(BatchNorm.class))
                .hasSize(51)
                .allMatch(text -> text.contains("epsilon=2.0E-5, momentum=0.25"))
                .noneMatch(text -> text.contains("frozen"));
    }

    @ParameterizedTest
    @CsvSource({"32, 1", "64, 2", "227, 8"})
    void averagesTheWholeMapOfAnySize(int side, int last) {
        Architecture net = new Architecture(() -> ResNet.resNet50(3, 10), 1, side, side, 3);
        assertThat(net.output("stage4")).containsExactly(last, last, 2048);
        assertThat(net.output("pool2")).containsExactly(1, 1, 2048);
    }

    @Test
    void filtersMustFitStages() {
        assertThatThrownBy(() -> new ResNet(3, 10, new int[] {2, 2}, new int[] {64, 256}))
                .hasMessage("ResNet: filters must be one more than stages, the first for the stem: stages=[2, 2],"
                        + " filters=[64, 256]");
    }

    @Test
    void startsWithMsraWeightsAndProbabilities() {
        Generator.current().manualSeed(4);
        try (Backend backend = CpuBackend.open(2);
                var _ = Scope.open("model", backend)) {
            Module net = ResNet.resNet50(3, 1000);
            InitialWeights.assertNormal(net, "conv1_1.weight", 0.033863);
            InitialWeights.assertNormal(net, "stage1.unit1.conv1.weight", 0.171499);
            InitialWeights.assertNormal(net, "stage1.unit1.conv2.weight", 0.057166);
            InitialWeights.assertNormal(net, "stage1.unit1.conv3.weight", 0.108465);
            InitialWeights.assertNormal(net, "fc1.weight", 0.035145);
            InitialWeights.assertConstants(net);
            assertThat(Outputs.biases(net)).isEqualTo(1_000);
            Outputs.assertProbabilities(net, 224);
        }
    }
}
