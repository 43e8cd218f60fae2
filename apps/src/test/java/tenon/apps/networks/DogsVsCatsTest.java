package tenon.apps.networks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.engine.Generator;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.ops.Padding;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dropout;
import tenon.layers.Module;
import tenon.layers.Parameter;

/** AlexNet as it was trained on dogs and cats, and its unpadded twin. */
class DogsVsCatsTest {
    private static final Architecture PADDED =
            new Architecture(() -> AlexNet.dogsVsCats(227, 227, 3, 2), 1, 227, 227, 3);
    private static final Architecture UNPADDED =
            new Architecture(() -> new AlexNet(227, 227, 3, 2, 1, false, AlexNet.dogsVsCatsStyle()), 1, 227, 227, 3);

    /** Counts as in Keras, with running statistics. */
    @ParameterizedTest
    @CsvSource({
        "conv1_1, 57, 55, 96, 34944",
        "bn1_1, 57, 55, 96, 384",
        "pool1, 28, 27, 96, 0",
        "conv2_1, 28, 27, 256, 614656",
        "bn2_1, 28, 27, 256, 1024",
        "pool2, 13, 13, 256, 0",
        "conv3_1, 13, 13, 384, 885120",
        "bn3_1, 13, 13, 384, 1536",
        "conv3_2, 13, 13, 384, 1327488",
        "bn3_2, 13, 13, 384, 1536",
        "conv3_3, 13, 13, 256, 884992",
        "bn3_3, 13, 13, 256, 1024",
        "pool3, 6, 6, 256, 0",
    })
    void imageLayers(String name, int padded, int unpadded, int channels, long parameters) {
        assertThat(PADDED.output(name)).containsExactly(padded, padded, channels);
        assertThat(UNPADDED.output(name)).containsExactly(unpadded, unpadded, channels);
        assertThat(PADDED.stored(name)).isEqualTo(parameters);
    }

    @ParameterizedTest
    @CsvSource({
        "flatten, 9216, 0",
        "fc1, 4096, 37752832",
        "bn4_1, 4096, 16384",
        "fc2, 4096, 16781312",
        "bn5_1, 4096, 16384",
        "fc3, 2, 8194",
    })
    void denseLayers(String name, int features, long parameters) {
        assertThat(PADDED.output(name)).containsExactly(features);
        assertThat(UNPADDED.output(name)).containsExactly(features);
        assertThat(PADDED.stored(name)).isEqualTo(parameters);
    }

    @Test
    void totals() {
        for (Architecture net : new Architecture[] {PADDED, UNPADDED}) {
            assertThat(net.summary().total()).isEqualTo(58_327_810);
            assertThat(net.summary().trainable()).isEqualTo(58_308_674);
            assertThat(net.summary().parameters()).isEqualTo(58_308_674);
            assertThat(net.summary().nonTrainable()).isEqualTo(19_136);
        }
        assertThat(PADDED.summary().multiplyAdds()).isEqualTo(1_172_766_240);
        assertThat(PADDED.settings(BatchNorm.class)).allMatch(norm -> norm.endsWith("epsilon=0.001, momentum=0.01)"));
        assertThat(PADDED.settings(Conv2d.class)).allMatch(conv -> conv.endsWith(", relu)"));
        assertThat(PADDED.settings(Dropout.class))
                .containsExactly(
                        "Dropout(rate=0.25)",
                        "Dropout(rate=0.25)",
                        "Dropout(rate=0.25)",
                        "Dropout(rate=0.5)",
                        "Dropout(rate=0.5)");
        assertThat(PADDED.names())
                .startsWith("conv1_1", "bn1_1", "pool1", "do1")
                .endsWith("fc2", "bn5_1", "do5", "fc3");
    }

    @Test
    void samePaddingOf227For11At4() {
        assertThat(Padding.same(227, 227, 11, 11, 4)).isEqualTo(Padding.of(4));
    }

    @Test
    void smallestPicture() {
        int side = AlexNet.SMALLEST_PADDED_SIDE;
        Architecture net = new Architecture(() -> AlexNet.dogsVsCats(side, side, 3, 2), 1, side, side, 3);
        assertThat(net.output("pool3")).containsExactly(1, 1, 256);
    }

    /** What weight decay sees: the kernels, and nothing else. */
    @Test
    @Tag("slow")
    void thePenaltyStartsAt2() {
        Generator.current().manualSeed(4);
        try (Backend backend = CpuBackend.open(2);
                var _ = Scope.open("model", backend)) {
            Module net = AlexNet.dogsVsCats(227, 227, 3, 2);
            long kernels = 0;
            double squares = 0;
            for (Parameter parameter : net.parameters()) {
                assertThat(parameter.decays())
                        .as(parameter.name())
                        .isEqualTo(parameter.name().endsWith(".weight"));
                if (parameter.decays()) {
                    Tensor value = parameter.value();
                    kernels += value.elementCount();
                    for (float w : value.toFloatArray()) {
                        squares += (double) w * w;
                    }
                }
            }
            assertThat(kernels).isEqualTo(58_279_968);
            assertThat(0.0002 * squares).isCloseTo(2.18, within(0.02));
        }
    }
}
