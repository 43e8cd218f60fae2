package tenon.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.apps.networks.DenseNet3;
import tenon.apps.networks.MiniVggNet;
import tenon.apps.networks.MnistNet;
import tenon.apps.networks.SmallVggNet;
import tenon.engine.DType;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.backend.cpu.PrimitiveReport;
import tenon.layers.Module;

/** Whole networks, training and inference, use no primitive that falls to oneDNN's reference loops, which are a hundred times slower. */
class NetworkKernelsTest {
    static Stream<Arguments> networks() {
        return Stream.of(
                network("MiniVGG, grey", Shape.of(64, 28, 28, 1), () -> new MiniVggNet(28, 28, 1, 10)),
                network("MiniVGG, colour", Shape.of(64, 32, 32, 3), () -> new MiniVggNet(32, 32, 3, 10)),
                network("SmallVGG", Shape.of(32, 64, 64, 3), () -> new SmallVggNet(64, 64, 3, 3)),
                network("DenseNet3", Shape.of(32, 32, 32, 3), () -> new DenseNet3(3072, 3)),
                network("MnistNet", Shape.of(64, 28, 28, 1), MnistNet::new));
    }

    private static Arguments network(String name, Shape input, Supplier<Module> network) {
        return Arguments.of(name, input, network);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("networks")
    void noneIsOneDnnsReference(String name, Shape input, Supplier<Module> network) {
        try (CpuBackend backend = CpuBackend.open(2);
                var _ = Scope.open("model", backend)) {
            Module net = network.get();
            try (TenonTraining training = new TenonTraining(net, 0.01, 0.9, 5e-4)) {
                training.batch(Tensor.zeros(input, DType.F32), Tensor.of(new int[input.dim(0)], input.dim(0)));
                training.forward();
                training.backward();
                training.update();
            }
            net.eval();
            try (var _ = Scope.open("inference");
                    var _ = GradMode.noGrad()) {
                // One image, as in a prediction, and a full batch.
                net.apply(Tensor.zeros(Shape.of(1, input.dim(1), input.dim(2), input.dim(3)), DType.F32));
                net.apply(Tensor.zeros(input, DType.F32));
            }
            assertThat(backend.primitiveReport()).isNotEmpty().noneMatch(PrimitiveReport::isReference);
        }
    }
}
