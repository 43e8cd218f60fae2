package tenon.benchmarks.libtorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import tenon.apps.networks.DenseNet3;
import tenon.apps.networks.MiniVggNet;
import tenon.apps.networks.MnistNet;
import tenon.apps.networks.SmallVggNet;
import tenon.benchmarks.TenonTraining;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.Dropout;
import tenon.layers.Initializer;
import tenon.layers.Module;

/**
 * Ten SGD steps (momentum 0.9, weight decay 5e-4) from the same weights over the same batches, here and in libtorch, without dropout.
 *
 * <p>In F64, on the reference back-end and at small sizes, everything agrees to 1e-8: the two do the same arithmetic. In F32, on the CPU back-end and at real
 * sizes, two correct programs part: where rounding turns the sign of a pre-activation or the winner of a pooling window, the gradient of a filter jumps by
 * one part in the square root of the number of positions it was applied to, 1e-2 to 1e-3, and training amplifies that about tenfold per step at usual
 * rates. The rate is therefore small, so that the losses show the forward pass and the weights' movement the gradients: losses agree to 1e-4, weights and
 * running statistics to 1e-3 of the larger of their magnitude and 0.1, and the movement of each tensor in ten steps to 5 % in the Euclidean norm.
 */
class ParityTest {
    private static final int STEPS = 10;
    // Numbers that F32 represents well enough for both sides to read the same from them.
    private static final double MOMENTUM = 0.9f;
    private static final double WEIGHT_DECAY = 5e-4f;

    private static final BatchNormSpec KERAS = BatchNormSpec.keras();
    private static final BatchNormSpec TORCH = BatchNormSpec.defaults();

    private record Case(
            Shape input, int classes, Supplier<Module> network, BiFunction<Module, TorchOptions, TorchNetwork> twin) {}

    private static Case miniVgg(int size, int channels, BatchNormSpec norm, Initializer initializer) {
        Shape input = Shape.of(size, size, channels);
        return new Case(
                input,
                10,
                () -> new MiniVggNet(size, size, channels, 10, norm, initializer),
                (net, options) -> TorchNetworks.miniVgg(net, input, 10, norm, options));
    }

    private static Case smallVgg(int size) {
        Shape input = Shape.of(size, size, 3);
        return new Case(
                input,
                3,
                () -> new SmallVggNet(size, size, 3, 3),
                (net, options) -> TorchNetworks.smallVgg(net, input, 3, KERAS, options));
    }

    private static Case denseNet3() {
        Shape input = Shape.of(32, 32, 3);
        return new Case(
                input,
                3,
                () -> new DenseNet3(3072, 3),
                (net, options) -> TorchNetworks.denseNet3(net, input, 3, options));
    }

    private static Case mnistNet() {
        return new Case(Shape.of(28, 28, 1), 10, MnistNet::new, TorchNetworks::mnistNet);
    }

    @Test
    void miniVggOnGreyImages() {
        compareF32(miniVgg(28, 1, KERAS, Initializer.glorotUniform()));
    }

    @Test
    void miniVggOnColourImages() {
        compareF32(miniVgg(32, 3, TORCH, Initializer.heNormal()));
    }

    @Test
    void smallVggOnColourImages() {
        compareF32(smallVgg(64));
    }

    @Test
    void denseNetworks() {
        compareF32(denseNet3());
        compareF32(mnistNet());
    }

    @Test
    void miniVggInF64() {
        compareF64(miniVgg(12, 1, TORCH, Initializer.glorotUniform()));
        compareF64(miniVgg(8, 3, KERAS, Initializer.heNormal()));
    }

    @Test
    void smallVggInF64() {
        compareF64(smallVgg(16));
    }

    @Test
    void mnistNetInF64() {
        compareF64(mnistNet());
    }

    private static void compareF32(Case one) {
        try (Backend backend = CpuBackend.open(2)) {
            compare(one, backend, DType.F32, 16, 1e-5f, 1e-4, 1e-3, 0.05);
        }
    }

    private static void compareF64(Case one) {
        try (Backend backend = ReferenceBackend.open()) {
            compare(one, backend, DType.F64, 8, 1e-4f, 1e-8, 1e-8, 1e-8);
        }
    }

    private static void compare(
            Case one,
            Backend backend,
            DType dtype,
            int batchSize,
            double rate,
            double lossTolerance,
            double stateTolerance,
            double movementTolerance) {
        ScalarType type = dtype == DType.F64 ? ScalarType.Double : ScalarType.Float;
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(21);
        try (var _ = Scope.open("model", backend);
                var _ = new PointerScope()) {
            Generator.current().manualSeed(1);
            Module net = one.network.get();
            net.convertTo(dtype);
            net.walk(module -> {
                if (module instanceof Dropout) {
                    module.eval();
                }
            });
            TorchNetwork torchNet = one.twin.apply(net, TorchOptions.comparable(type));
            Map<String, double[]> start = torchNet.state();
            try (TenonTraining ours = new TenonTraining(net, rate, MOMENTUM, WEIGHT_DECAY);
                    TorchTraining theirs = new TorchTraining(torchNet, rate, MOMENTUM, WEIGHT_DECAY)) {
                for (int step = 0; step < STEPS; step++) {
                    double[] images = random.doubles(batchSize * one.input.elementCount(), -2, 2)
                            .toArray();
                    int[] labels = random.ints(batchSize, 0, one.classes).toArray();
                    double actual = step(ours, one.input, dtype, images, labels);
                    double expected = step(theirs, torchNet, one.input, images, labels);
                    assertThat(actual)
                            .as("loss of step %d", step)
                            .isCloseTo(expected, withinPercentage(100 * lossTolerance));
                }
            }
            Map<String, double[]> end = torchNet.state();
            assertThat(end.keySet())
                    .containsExactlyInAnyOrderElementsOf(net.state().keySet());
            net.state().forEach((name, tensor) -> {
                double[] actual = tensor.toDoubleArray();
                assertAgree(name, actual, end.get(name), stateTolerance);
                assertMovementAgrees(name, actual, end.get(name), start.get(name), movementTolerance);
            });
        }
    }

    private static double step(TenonTraining training, Shape input, DType dtype, double[] images, int[] labels) {
        try (var _ = Scope.open("batch")) {
            Tensor batch = Tensor.of(images, labels.length, input.dim(0), input.dim(1), input.dim(2));
            training.batch(tenon.engine.ops.Casts.cast(batch, dtype), Tensor.of(labels, labels.length));
            training.forward();
            training.backward();
            return training.update();
        }
    }

    private static double step(TorchTraining training, TorchNetwork net, Shape input, double[] images, int[] labels) {
        try (var _ = new PointerScope()) {
            training.batch(
                    net.image(images, labels.length, input.dim(0), input.dim(1), input.dim(2)),
                    TorchTensors.labels(labels));
            training.forward();
            training.backward();
            return training.update();
        }
    }

    private static void assertAgree(String name, double[] actual, double[] expected, double tolerance) {
        assertThat(actual).as(name).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
            double difference = Math.abs(actual[i] - expected[i]);
            if (!(difference <= tolerance * Math.max(0.1, Math.abs(expected[i])))) {
                throw new AssertionError(
                        "%s: element %d must agree: here=%s, libtorch=%s".formatted(name, i, actual[i], expected[i]));
            }
        }
    }

    private static void assertMovementAgrees(
            String name, double[] actual, double[] expected, double[] start, double tolerance) {
        double difference = 0;
        double movement = 0;
        for (int i = 0; i < expected.length; i++) {
            difference += Math.pow(actual[i] - expected[i], 2);
            movement += Math.pow(expected[i] - start[i], 2);
        }
        assertThat(movement).as("movement of %s", name).isPositive();
        assertThat(Math.sqrt(difference / movement))
                .as("difference of %s over its movement", name)
                .isLessThanOrEqualTo(tolerance);
    }
}
