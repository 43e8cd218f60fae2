package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.apps.networks.Nonlinearity;
import tenon.apps.networks.NormPosition;
import tenon.apps.networks.ResNet;
import tenon.apps.training.NetworkSpec.Kind;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.ops.Losses;
import tenon.layers.Module;

class NetworkSpecTest {
    private static final int CLASSES = 11;
    private static final ObjectMapper JSON = new ObjectMapper();

    private static NetworkSpec smallest(Kind kind) {
        boolean squeezeNet = kind == Kind.SQUEEZENET;
        boolean fixed = Set.of(Kind.MINIVGG, Kind.SMALLVGG, Kind.DENSE3, Kind.MNIST, Kind.CIFAR10_CNN)
                .contains(kind);
        NetworkVariant variant = squeezeNet ? NetworkVariant.ORIGINAL.withGlobalAverage(true) : NetworkVariant.ORIGINAL;
        int side = Math.max(8, kind.smallestSide(variant));
        return new NetworkSpec(kind, side, side, 3, CLASSES, kind.defaultNormMomentum(), fixed ? 1 : 0.125, variant);
    }

    @ParameterizedTest
    @EnumSource
    void everyNetworkGivesProbabilities(Kind kind) {
        NetworkSpec spec = smallest(kind);
        Generator.current().manualSeed(1);
        Random random = new Random(2);
        try (Backend backend = CpuBackend.open(2);
                var _ = Scope.open("model", backend);
                var _ = GradMode.noGrad()) {
            Module net = spec.build();
            net.eval();
            Tensor images = Tensor.empty(spec.input(3), DType.F32);
            float[] pixels = new float[(int) images.elementCount()];
            for (int i = 0; i < pixels.length; i++) {
                pixels[i] = (float) random.nextGaussian();
            }
            images.upload(pixels);
            float[] rows = Losses.softmax(net.apply(images)).toFloatArray();
            assertThat(rows).hasSize(3 * CLASSES);
            for (int n = 0; n < 3; n++) {
                double sum = 0;
                for (int c = 0; c < CLASSES; c++) {
                    sum += rows[n * CLASSES + c];
                }
                assertThat(sum).isCloseTo(1, within(1e-5));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void survivesJson(Kind kind) throws JsonProcessingException {
        NetworkSpec spec = smallest(kind);
        assertThat(JSON.readValue(JSON.writeValueAsString(spec), NetworkSpec.class))
                .isEqualTo(spec);
    }

    @Test
    void variantsSurviveJson() throws JsonProcessingException {
        NetworkSpec alexNet = NetworkSpec.of(
                Kind.ALEXNET,
                10,
                NetworkVariant.ORIGINAL
                        .withActivation(Nonlinearity.elu(0.3))
                        .withNorm(NormPosition.BEFORE_ACTIVATION)
                        .withEpsilon(1e-4));
        String text = JSON.writeValueAsString(alexNet);
        assertThat(text).contains("\"activation\":\"elu:0.3\"").doesNotContain("null");
        assertThat(JSON.readValue(text, NetworkSpec.class)).isEqualTo(alexNet);
        NetworkSpec resNet = NetworkSpec.of(
                Kind.RESNET34,
                10,
                NetworkVariant.ORIGINAL.withDesign(ResNet.Design.TORCHVISION).withSmallStem(true));
        assertThat(JSON.readValue(JSON.writeValueAsString(resNet), NetworkSpec.class))
                .isEqualTo(resNet);
    }

    @Test
    void runsOfBeforeVariantsAreOriginals() throws JsonProcessingException {
        ObjectNode json = JSON.valueToTree(NetworkSpec.of(Kind.VGG16, 10));
        json.remove("variant");
        assertThat(JSON.treeToValue(json, NetworkSpec.class)).isEqualTo(NetworkSpec.of(Kind.VGG16, 10));
    }

    @Test
    void activationsAsText() {
        for (String text :
                new String[] {"relu", "relu6", "leaky-relu:0.1", "elu:1.0", "prelu:0.25", "sigmoid", "tanh"}) {
            assertThat(Nonlinearity.parse(text)).hasToString(text);
        }
        assertThat(Nonlinearity.parse("ELU")).isEqualTo(Nonlinearity.elu(0.25));
        assertThat(Nonlinearity.parse("leaky-relu")).hasToString("leaky-relu:0.01");
        assertThatThrownBy(() -> Nonlinearity.parse("relu:2"))
                .hasMessage("activation: relu must have no parameter: 2.0");
        assertThatThrownBy(() -> Nonlinearity.parse("elu:NaN"))
                .hasMessage("activation: elu must have a finite parameter: NaN");
    }
}
