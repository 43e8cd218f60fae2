package tenon.apps.networks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.engine.Generator;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dense;
import tenon.layers.Dropout;
import tenon.layers.Initializer;
import tenon.layers.MaxPool2d;
import tenon.layers.Module;
import tenon.layers.blocks.Fire;
import tenon.optim.checkpoint.FileOps;
import tenon.optim.checkpoint.SafetensorsWriter;

class SqueezeNetTest {
    private static final Architecture NET = new Architecture(() -> new SqueezeNet(227, 227, 3, 1000), 1, 227, 227, 3);

    private static SqueezeNet net(Activation activation, BatchNormSpec norm) {
        return new SqueezeNet(
                227, 227, 3, 1000, 1, SqueezeNet.LAST_SIDE, activation, norm, Initializer.glorotUniform());
    }

    @ParameterizedTest
    @CsvSource({
        "conv_1, 111, 96, 14208, 173873952",
        "pool_1, 55, 96, 0, 0",
        "fire_2, 55, 128, 11920, 35622400",
        "fire_3, 55, 128, 12432, 37171200",
        "fire_4, 55, 256, 45344, 136294400",
        "pool_4, 27, 256, 0, 0",
        "fire_5, 27, 256, 49440, 35831808",
        "fire_6, 27, 384, 104880, 76142592",
        "fire_7, 27, 384, 111024, 80621568",
        "fire_8, 27, 512, 188992, 137355264",
        "pool_8, 13, 512, 0, 0",
        "fire_9, 13, 512, 197184, 33226752",
        "conv_10, 13, 1000, 513000, 86528000",
        "pool_10, 1, 1000, 0, 0",
    })
    void layers(String name, int side, int channels, long parameters, long multiplyAdds) {
        assertThat(NET.output(name)).containsExactly(side, side, channels);
        assertThat(NET.parameters(name)).isEqualTo(parameters);
        assertThat(NET.multiplyAdds(name)).isEqualTo(multiplyAdds);
    }

    @Test
    void totals() {
        assertThat(NET.output("flatten")).containsExactly(1000);
        assertThat(NET.summary().parameters()).isEqualTo(1_248_424);
        assertThat(NET.summary().trainable()).isEqualTo(1_248_424);
        assertThat(NET.summary().multiplyAdds()).isEqualTo(832_667_936);
    }

    @ParameterizedTest
    @CsvSource({"10, 740554", "100, 786724", "200, 838024"})
    void otherClassCounts(int classes, long trained) {
        Architecture net = new Architecture(() -> new SqueezeNet(227, 227, 3, classes), 1, 227, 227, 3);
        assertThat(net.summary().trainable()).isEqualTo(trained);
    }

    @Test
    void kindsOfLayers() {
        assertThat(NET.settings(Conv2d.class))
                .hasSize(26)
                .noneMatch(conv -> conv.contains("no bias"))
                .allMatch(conv -> conv.endsWith(", elu, alpha=0.25)"));
        assertThat(NET.count(Fire.class)).isEqualTo(8);
        assertThat(NET.count(MaxPool2d.class)).isEqualTo(3);
        assertThat(NET.settings(Dropout.class)).containsExactly("Dropout(rate=0.5)");
        assertThat(NET.names()).containsSubsequence("do_9", "conv_10", "pool_10", "flatten");
        assertThat(NET.count(BatchNorm.class)).isZero();
        assertThat(NET.count(Dense.class)).isZero();
    }

    @Test
    void canNormalizeAfterEachActivation() {
        Architecture frozen = new Architecture(() -> net(Activation.RELU, BatchNormSpec.mxnet()), 1, 227, 227, 3);
        assertThat(frozen.count(BatchNorm.class)).isEqualTo(26);
        assertThat(frozen.summary().trainable()).isEqualTo(1_252_400);
        Architecture learned = new Architecture(
                () -> net(Activation.RELU, BatchNormSpec.mxnet().withFrozenGamma(false)), 1, 227, 227, 3);
        assertThat(learned.summary().total()).isEqualTo(1_264_328);
        assertThat(frozen.summary().total()).isEqualTo(1_264_328);
    }

    @ParameterizedTest
    @CsvSource({"226", "243", "6", "1"})
    void refusesPicturesWhoseLastMapIsNotThePoolsWindow(int side) {
        assertThatThrownBy(() -> new SqueezeNet(side, 227, 3, 10))
                .hasMessage(
                        "SqueezeNet: the last map must be 13x13, which pictures of 227 to 242 pixels a side lead to:"
                                + " height=" + side + ", width=227");
        assertThatThrownBy(() -> new SqueezeNet(227, side, 3, 10)).hasMessageEndingWith("width=" + side);
    }

    @Test
    void largestPicture() {
        int side = SqueezeNet.LARGEST_SIDE;
        assertThat(side).isEqualTo(242);
        Architecture net = new Architecture(() -> new SqueezeNet(side, side, 3, 10), 1, side, side, 3);
        assertThat(net.output("conv_10")).containsExactly(13, 13, 10);
    }

    @Test
    void canAverageTheWholeMapOfAnySize() {
        int side = SqueezeNet.SMALLEST_SIDE_FOR_WHOLE_MAP;
        assertThat(side).isEqualTo(35);
        Architecture small = new Architecture(() -> wholeMap(side, side + 20), 1, side, side + 20, 3);
        assertThat(small.output("conv_10")).containsExactly(1, 2, 10);
        assertThat(small.output("flatten")).containsExactly(10);
        // 96, 16, 64 become 24, 8 (4 to the next multiple) and 16.
        assertThat(small.parameters("conv_1")).isEqualTo(49 * 3 * 24 + 24);
        assertThat(small.parameters("fire_2")).isEqualTo((24 * 8 + 8) + (8 * 16 + 16) + (9 * 8 * 16 + 16));
    }

    private static SqueezeNet wholeMap(int height, int width) {
        return new SqueezeNet(
                height,
                width,
                3,
                10,
                0.25,
                SqueezeNet.WHOLE_MAP,
                Activation.elu(0.25f),
                null,
                Initializer.glorotUniform());
    }

    @Test
    void startsWithGlorotWeightsAndProbabilities(@TempDir Path folder) throws IOException {
        Generator.current().manualSeed(4);
        try (Backend backend = CpuBackend.open(2);
                var _ = Scope.open("model", backend)) {
            Module net = new SqueezeNet(227, 227, 3, 1000);
            InitialWeights.assertUniform(net, "conv_1.weight", 0.035169);
            InitialWeights.assertUniform(net, "fire_2.squeeze.weight", 0.231455);
            InitialWeights.assertUniform(net, "fire_2.expand3x3.weight", 0.091287);
            InitialWeights.assertUniform(net, "conv_10.weight", 0.062994);
            InitialWeights.assertConstants(net);
            assertThat(Outputs.biases(net)).isEqualTo(3_976);
            Outputs.assertProbabilities(net, 227);

            // The file's first eight bytes are the length of its header.
            Path file = folder.resolve("squeezenet.safetensors");
            SafetensorsWriter.write(FileOps.SYSTEM, file, net.state(), Map.of());
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
            assertThat(bytes.capacity() - Long.BYTES - bytes.getLong(0)).isEqualTo(4_993_696);
        }
    }

    @Test
    void logitsAreAveragesOfActivatedValues() {
        Generator.current().manualSeed(4);
        try (Backend backend = CpuBackend.open(2);
                var _ = Scope.open("model", backend);
                var _ = GradMode.noGrad()) {
            Tensor images = Outputs.pictures(2, 227, 5);
            for (float logit : net(Activation.elu(0.25f), null).apply(images).toFloatArray()) {
                assertThat(logit).isGreaterThan(-0.25f);
            }
            for (float logit : net(Activation.RELU, null).apply(images).toFloatArray()) {
                assertThat(logit).isNotNegative();
            }
        }
    }
}
