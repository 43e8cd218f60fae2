package tenon.apps.networks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.engine.Generator;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.layers.Conv2d;
import tenon.layers.Dropout;
import tenon.layers.Initializer;
import tenon.layers.Module;
import tenon.layers.Parameter;
import tenon.optim.Adam;
import tenon.optim.Optimizer;
import tenon.optim.UpdateRules;

class CifarNetTest {
    private static final Architecture NET = new Architecture(() -> new CifarNet(32, 32, 3, 10), 1, 32, 32, 3);

    @ParameterizedTest
    @CsvSource({
        "conv1, 32, 64, 1728",
        "pool1, 16, 64, 0",
        "conv2, 16, 128, 32768",
        "conv3, 16, 128, 65536",
        "pool2, 8, 128, 0",
        "conv4, 8, 256, 32768",
        "pool3, 4, 256, 0",
        "conv5, 4, 512, 131072",
    })
    void imageLayers(String name, int side, int channels, long parameters) {
        assertThat(NET.output(name)).containsExactly(side, side, channels);
        assertThat(NET.parameters(name)).isEqualTo(parameters);
    }

    @ParameterizedTest
    @CsvSource({"flatten, 8192, 0", "fc1, 1024, 8389632", "fc2, 512, 524800", "fc3, 256, 131328", "fc4, 10, 2570"})
    void denseLayers(String name, int features, long parameters) {
        assertThat(NET.output(name)).containsExactly(features);
        assertThat(NET.parameters(name)).isEqualTo(parameters);
    }

    @Test
    void totals() {
        assertThat(NET.summary().parameters()).isEqualTo(9_312_202);
        assertThat(NET.summary().trainable()).isEqualTo(9_312_202);
        assertThat(NET.summary().multiplyAdds()).isEqualTo(40_176_128);
        assertThat(NET.settings(Dropout.class))
                .containsExactly("Dropout(rate=0.5)", "Dropout(rate=0.5)", "Dropout(rate=0.5)");
        assertThat(NET.names()).endsWith("fc1", "do1", "fc2", "do2", "fc3", "do3", "fc4");
        assertThat(NET.settings(Conv2d.class)).hasSize(5).allMatch(conv -> conv.endsWith("no bias, relu)"));
    }

    @Test
    void evenKernelsPadAtTheBottomAndRight() {
        try (Backend backend = CpuBackend.open(2);
                var _ = Scope.open("model", backend)) {
            Conv2d conv = Conv2d.builder(1, 1, 2)
                    .samePadding()
                    .bias(false)
                    .initializer(Initializer.constant(1))
                    .build();
            assertThat(conv.apply(Tensor.of(new float[] {1, 2, 3, 4}, 1, 2, 2, 1))
                            .toFloatArray())
                    .containsExactly(10, 6, 7, 4);
        }
    }

    /** As the original program was: nothing but the last biases learns. */
    @Test
    void zeroFiltersLearnNothing() {
        Generator.current().manualSeed(4);
        Initializer glorot = Initializer.glorotUniform();
        try (Backend backend = CpuBackend.open(2);
                var _ = Scope.open("model", backend)) {
            Module net = new CifarNet(32, 32, 3, 10, CifarNet.DROPOUT, Initializer.zeros(), glorot);
            Optimizer adam = new Adam(net.parameters(), UpdateRules.PLAIN);
            for (int step = 0; step < 3; step++) {
                double loss = Bars.step(net, adam, 32, step, 0.001);
                assertThat(loss).isCloseTo(Math.log(10), within(0.05));
                for (Parameter parameter : net.parameters()) {
                    float[] gradient = parameter.value().grad().toFloatArray();
                    if (parameter.name().equals("fc4.bias")) {
                        assertThat(gradient).hasSize(10).isNotEqualTo(new float[10]);
                    } else {
                        assertThat(gradient).as(parameter.name()).containsOnly(0);
                    }
                }
            }
        }
    }

    @Test
    void heFiltersLearn() {
        Generator.current().manualSeed(4);
        try (Backend backend = CpuBackend.open(2);
                var _ = Scope.open("model", backend)) {
            Module net = new CifarNet(32, 32, 3, 10);
            InitialWeights.assertNormal(net, "conv1.weight", Math.sqrt(2 / 27.0));
            InitialWeights.assertNormal(net, "conv5.weight", Math.sqrt(2 / 256.0));
            InitialWeights.assertConstants(net);
            Optimizer adam = new Adam(net.parameters(), UpdateRules.PLAIN);
            double loss = 0;
            for (int step = 0; step < 40; step++) {
                loss = Bars.step(net, adam, 32, step, 0.001);
            }
            assertThat(loss).isLessThan(2.2);
        }
    }
}
