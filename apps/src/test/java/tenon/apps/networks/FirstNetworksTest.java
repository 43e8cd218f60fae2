package tenon.apps.networks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.ops.Losses;
import tenon.layers.ActivationLayer;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dropout;
import tenon.layers.MaxPool2d;
import tenon.layers.Module;
import tenon.layers.Summary;

/** Shapes and counts of the first course networks, layer by layer. */
class FirstNetworksTest {
    private static Summary.Row row(Summary summary, String name) {
        return summary.layers().stream()
                .filter(row -> row.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** @param parameters as Keras counts them, with running statistics */
    private static void assertRow(Summary summary, String name, List<Integer> output, long parameters) {
        Summary.Row row = row(summary, name);
        assertThat(row.output()).as(name).isEqualTo(output);
        assertThat(row.parameters() + row.statistics()).as(name).isEqualTo(parameters);
    }

    @Test
    void smallVggNet() {
        Summary summary = Summary.of(() -> new SmallVggNet(64, 64, 3, 3), Shape.of(1, 64, 64, 3));

        assertRow(summary, "block1.conv1", List.of(1, 64, 64, 32), 896);
        assertRow(summary, "block1.bn1", List.of(1, 64, 64, 32), 128);
        assertRow(summary, "block1.pool", List.of(1, 32, 32, 32), 0);
        assertRow(summary, "block1.dropout", List.of(1, 32, 32, 32), 0);
        assertRow(summary, "block2.conv1", List.of(1, 32, 32, 64), 18_496);
        assertRow(summary, "block2.bn1", List.of(1, 32, 32, 64), 256);
        assertRow(summary, "block2.conv2", List.of(1, 32, 32, 64), 36_928);
        assertRow(summary, "block2.bn2", List.of(1, 32, 32, 64), 256);
        assertRow(summary, "block2.pool", List.of(1, 16, 16, 64), 0);
        assertRow(summary, "block3.conv1", List.of(1, 16, 16, 128), 73_856);
        assertRow(summary, "block3.bn1", List.of(1, 16, 16, 128), 512);
        assertRow(summary, "block3.conv2", List.of(1, 16, 16, 128), 147_584);
        assertRow(summary, "block3.bn2", List.of(1, 16, 16, 128), 512);
        assertRow(summary, "block3.conv3", List.of(1, 16, 16, 128), 147_584);
        assertRow(summary, "block3.bn3", List.of(1, 16, 16, 128), 512);
        assertRow(summary, "block3.pool", List.of(1, 8, 8, 128), 0);
        assertRow(summary, "flatten", List.of(1, 8192), 0);
        assertRow(summary, "fc1", List.of(1, 512), 4_194_816);
        assertRow(summary, "bn", List.of(1, 512), 2_048);
        assertRow(summary, "fc2", List.of(1, 3), 1_539);
        assertThat(summary.layers()).hasSize(23);
        assertThat(summary.total()).isEqualTo(4_625_923);
        assertThat(summary.trainable()).isEqualTo(4_623_811);
        assertThat(summary.nonTrainable()).isEqualTo(2_112);
        assertThat(summary.multiplyAdds()).isEqualTo(158_729_728);
    }

    @Test
    void smallVggNetNormalizesAfterTheActivation() {
        Summary summary = Summary.of(() -> new SmallVggNet(64, 64, 3, 3), Shape.of(1, 64, 64, 3));
        assertThat(summary.layers().stream().map(Summary.Row::name))
                .startsWith("block1.conv1", "block1.bn1", "block1.pool", "block1.dropout", "block2.conv1")
                .endsWith("flatten", "fc1", "bn", "dropout", "fc2");
    }

    @Test
    void settingsOfSmallVggNet() {
        Architecture net = new Architecture(() -> new SmallVggNet(64, 64, 3, 3), 1, 64, 64, 3);
        assertThat(net.settings(Conv2d.class))
                .hasSize(6)
                .allMatch(conv -> conv.endsWith("kernel=3x3, stride=1x1, padding=1x1, relu)"));
        assertThat(net.settings(BatchNorm.class))
                .hasSize(7)
                .allMatch(norm -> norm.endsWith("epsilon=0.001, momentum=0.01)"));
        assertThat(net.settings(MaxPool2d.class))
                .hasSize(3)
                .containsOnly("MaxPool2d(kernel=2x2, stride=2x2, padding=0x0)");
        assertThat(net.settings(Dropout.class))
                .containsExactly("Dropout(rate=0.25)", "Dropout(rate=0.25)", "Dropout(rate=0.25)", "Dropout(rate=0.5)");
    }

    @Test
    void hiddenUnitsOfDenseNetworks() {
        Architecture dense = new Architecture(() -> new DenseNet3(3072, 3), 1, 3072);
        assertThat(dense.names()).containsExactly("flatten", "fc1", "sigmoid1", "fc2", "sigmoid2", "fc3");
        assertThat(dense.settings(ActivationLayer.class)).hasSize(2).containsOnly("ActivationLayer(sigmoid)");
        Architecture mnist = new Architecture(MnistNet::new, 1, 28, 28, 1);
        assertThat(mnist.names()).containsExactly("flatten", "fc1", "relu", "fc2");
        assertThat(mnist.settings(ActivationLayer.class)).containsExactly("ActivationLayer(relu)");
    }

    /** Bounds are sqrt(6 / (in + out)), for convolutions times the nine places of a kernel. */
    @Test
    void startWithGlorotWeights() {
        Generator.current().manualSeed(4);
        try (Backend backend = CpuBackend.open(2);
                var _ = Scope.open("model", backend)) {
            Module vgg = new SmallVggNet(64, 64, 3, 3);
            InitialWeights.assertUniform(vgg, "block2.conv2.weight", 0.0721688);
            InitialWeights.assertUniform(vgg, "fc1.weight", 0.0262613);
            InitialWeights.assertConstants(vgg);
            Module dense = new DenseNet3(3072, 3);
            InitialWeights.assertUniform(dense, "fc1.weight", 0.0382733);
            InitialWeights.assertUniform(dense, "fc2.weight", 0.0625);
            InitialWeights.assertConstants(dense);
            Module mnist = new MnistNet();
            InitialWeights.assertUniform(mnist, "fc1.weight", 0.0615457);
            InitialWeights.assertConstants(mnist);
        }
    }

    @Test
    void activationsBelongToTheLayersInFrontOfThem() {
        Summary summary = Summary.of(() -> new SmallVggNet(64, 64, 3, 3), Shape.of(1, 64, 64, 3));
        assertThat(row(summary, "block1.conv1").type()).isEqualTo("Conv2d + relu");
        assertThat(row(summary, "fc1").type()).isEqualTo("Dense + relu");
        assertThat(row(summary, "fc2").type()).isEqualTo("Dense");
    }

    @Test
    void otherSizes() {
        Summary summary = Summary.of(() -> new SmallVggNet(50, 30, 1, 7), Shape.of(2, 50, 30, 1));
        assertThat(row(summary, "block3.pool").output()).isEqualTo(List.of(2, 6, 3, 128));
        assertThat(row(summary, "fc2").output()).isEqualTo(List.of(2, 7));
    }

    @Test
    void miniVggNet() {
        Summary summary = Summary.of(() -> new MiniVggNet(32, 32, 3, 10), Shape.of(64, 32, 32, 3));
        assertThat(summary.trainable()).isEqualTo(2_169_770);
        assertThat(row(summary, "block2.pool").output()).isEqualTo(List.of(64, 8, 8, 64));
        assertThat(row(summary, "fc2").output()).isEqualTo(List.of(64, 10));
    }

    @Test
    void denseNet3() {
        Summary summary = Summary.of(() -> new DenseNet3(3072, 3), Shape.of(32, 32, 32, 3));
        assertRow(summary, "fc1", List.of(32, 1024), 3_146_752);
        assertRow(summary, "fc2", List.of(32, 512), 524_800);
        assertRow(summary, "fc3", List.of(32, 3), 1_539);
        assertThat(summary.parameters()).isEqualTo(3_673_091);
        assertThat(summary.nonTrainable()).isZero();
        assertThat(Summary.of(() -> new DenseNet3(3072, 3), Shape.of(32, 3072)).parameters())
                .isEqualTo(3_673_091);
    }

    /** The floor is ln 3; Glorot's weights make logits of some size. */
    @Test
    void denseNet3StartsNearChance() {
        Random random = new Random(7);
        try (Backend backend = CpuBackend.open(2)) {
            for (int seed = 1; seed <= 10; seed++) {
                Generator.current().manualSeed(seed);
                try (var _ = Scope.open("model", backend);
                        var _ = GradMode.noGrad()) {
                    Tensor images = Tensor.empty(Shape.of(96, 32, 32, 3), DType.F32);
                    float[] pixels = new float[(int) images.elementCount()];
                    for (int i = 0; i < pixels.length; i++) {
                        pixels[i] = random.nextFloat();
                    }
                    images.upload(pixels);
                    int[] labels = IntStream.range(0, 96).map(i -> i % 3).toArray();
                    double loss = Losses.softmaxCrossEntropy(
                                    new DenseNet3(3072, 3).apply(images), Tensor.of(labels, 96))
                            .item();
                    assertThat(loss).isBetween(Math.log(3) - 0.01, 2.0);
                }
            }
        }
    }

    @Test
    void mnistNet() {
        Summary summary = Summary.of(MnistNet::new, Shape.of(200, 28, 28, 1));
        assertRow(summary, "fc1", List.of(200, 800), 628_000);
        assertRow(summary, "fc2", List.of(200, 10), 8_010);
        assertThat(summary.parameters()).isEqualTo(636_010);
    }
}
