package tenon.apps.networks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.Precision;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.backend.cuda.CudaBackend;
import tenon.layers.Module;
import tenon.optim.Sgd;
import tenon.optim.UpdateRules;
import tenon.optim.train.Loss;
import tenon.simulator.SimulatedDevice;

/**
 * Ten training steps on a CUDA device, simulated unless {@code -Dtenon.test.gpu=real}, beside those on the CPU: the same weights, pictures and dropout masks,
 * so the losses agree as far as F32 lets them.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CudaParityTest {
    private static final int STEPS = 10;
    private static final int BATCH = 8;

    private enum Case {
        /** Batch norm over a batch's few values after the dense layer makes gradients large: a higher rate would part two correct programs. */
        MINIVGG(new int[] {BATCH, 16, 16, 3}, 2e-5, () -> new MiniVggNet(16, 16, 3, 10)),
        RESNET(new int[] {BATCH, 32, 32, 3}, 2e-3, () -> new ResNet(3, 10, new int[] {1, 1}, new int[] {8, 16, 32}));

        private final int[] input;
        private final double rate;
        private final Supplier<Module> network;

        Case(int[] input, double rate, Supplier<Module> network) {
            this.input = input;
            this.rate = rate;
            this.network = network;
        }
    }

    private Backend cuda;

    @BeforeAll
    void open() {
        if (!"real".equals(System.getProperty("tenon.test.gpu"))) {
            SimulatedDevice.why().ifPresent(Assumptions::abort);
            System.setProperty("tenon.cuda.path", SimulatedDevice.folder().toString());
        }
        cuda = CudaBackend.open();
    }

    @AfterAll
    void close() {
        if (cuda != null) {
            cuda.close();
        }
    }

    @ParameterizedTest
    @EnumSource
    void tenStepsInF32(Case network) {
        double[] expected = cpuLosses(network);
        double[] actual = losses(network, cuda, Precision.FP32);
        assertThat(actual[STEPS - 1]).as("it learns").isLessThan(0.95 * actual[0]);
        for (int step = 0; step < STEPS; step++) {
            assertThat(actual[step]).as("loss of step %d", step).isCloseTo(expected[step], withinPercentage(0.1));
        }
    }

    /** Activations are rounded to 2^-9 of their value; what becomes of that in ten steps is bounded, not computed. */
    @ParameterizedTest
    @EnumSource
    void tenStepsInBf16(Case network) {
        double[] expected = cpuLosses(network);
        double[] actual = losses(network, cuda, Precision.BF16);
        assertThat(actual[0]).isCloseTo(expected[0], withinPercentage(4));
        for (int step = 1; step < STEPS; step++) {
            assertThat(actual[step]).as("loss of step %d", step).isCloseTo(expected[step], within(0.15 * expected[0]));
        }
    }

    private static double[] cpuLosses(Case network) {
        try (Backend cpu = CpuBackend.open(2)) {
            return losses(network, cpu, Precision.FP32);
        }
    }

    private static double[] losses(Case network, Backend backend, Precision precision) {
        double[] losses = new double[STEPS];
        try (Scope _ = Scope.open("model", backend)) {
            Generator.current().manualSeed(11);
            Module model = network.network.get();
            model.computeIn(precision);
            model.train();
            Sgd sgd = new Sgd(model.parameters(), 0.9, false, UpdateRules.weightDecay(1e-4));
            Loss loss = Loss.crossEntropy();
            Shape shape = Shape.of(network.input);
            float[] pixels = new float[(int) shape.elementCount()];
            Rng rng = new Rng(5, 6, 7);
            for (int i = 0; i < pixels.length; i++) {
                pixels[i] = (float) rng.gaussian(i);
            }
            Tensor input = Tensor.empty(shape, DType.F32);
            input.upload(pixels);
            int[] labels = new int[BATCH];
            for (int i = 0; i < BATCH; i++) {
                labels[i] = 3 * i % 10;
            }
            Tensor target = Tensor.of(labels, BATCH);
            for (int step = 0; step < STEPS; step++) {
                Generator.current().beginStep(step);
                model.zeroGrad();
                try (Scope _ = Scope.open("step")) {
                    Tensor value = loss.apply(model.apply(input), target);
                    losses[step] = value.item();
                    value.backward();
                    sgd.step(network.rate);
                }
            }
        }
        return losses;
    }
}
