package tenon.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.EnumSet;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.apps.networks.AlexNet;
import tenon.apps.networks.DenseNet3;
import tenon.apps.networks.GoogLeNet;
import tenon.apps.networks.MiniVggNet;
import tenon.apps.networks.MnistNet;
import tenon.apps.networks.ResNet;
import tenon.apps.networks.SmallVggNet;
import tenon.apps.networks.SqueezeNet;
import tenon.apps.networks.Vgg16;
import tenon.engine.DType;
import tenon.engine.GradMode;
import tenon.engine.Precision;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.OpKind;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.backend.cpu.PrimitiveReport;
import tenon.layers.InferenceForm;
import tenon.layers.Module;

/**
 * Whole networks, training and inference, in either precision, use no primitive that falls to oneDNN's reference loops, which are a hundred times slower.
 * The large ones run with all their channels and pixels but few images: implementations are chosen by channels and sizes of the maps.
 */
class NetworkKernelsTest {
    private static final Set<OpKind> OPS = EnumSet.of(
            OpKind.CONV2D,
            OpKind.DENSE,
            OpKind.MAX_POOL,
            OpKind.AVG_POOL,
            OpKind.BATCH_NORM,
            OpKind.RELU,
            OpKind.ELU,
            OpKind.SIGMOID,
            OpKind.PRELU,
            OpKind.DROPOUT,
            OpKind.ADD_ACTIVATION,
            OpKind.CONCAT);

    static Stream<Arguments> networks() {
        return Stream.of(
                network("MiniVGG, grey", Shape.of(64, 28, 28, 1), () -> new MiniVggNet(28, 28, 1, 10)),
                network("MiniVGG, colour", Shape.of(64, 32, 32, 3), () -> new MiniVggNet(32, 32, 3, 10)),
                network("SmallVGG", Shape.of(32, 64, 64, 3), () -> new SmallVggNet(64, 64, 3, 3)),
                network("DenseNet3", Shape.of(32, 32, 32, 3), () -> new DenseNet3(3072, 3)),
                network("MnistNet", Shape.of(64, 28, 28, 1), MnistNet::new),
                network("AlexNet", Shape.of(2, 227, 227, 3), () -> new AlexNet(227, 227, 3, 1000)),
                network("VGG16", Shape.of(2, 224, 224, 3), () -> new Vgg16(224, 224, 3, 1000)),
                network("GoogLeNet", Shape.of(2, 224, 224, 3), () -> new GoogLeNet(3, 1000)),
                network("ResNet-50", Shape.of(2, 224, 224, 3), () -> ResNet.resNet50(3, 1000)),
                network("SqueezeNet", Shape.of(2, 227, 227, 3), () -> new SqueezeNet(227, 227, 3, 1000)));
    }

    private static Arguments network(String name, Shape input, Supplier<Module> network) {
        return Arguments.of(name, input, network);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("networks")
    void noneIsOneDnnsReferenceInF32(String name, Shape input, Supplier<Module> network) {
        assertNoneIsReference(input, network, Precision.FP32);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("networks")
    void noneIsOneDnnsReferenceInBf16(String name, Shape input, Supplier<Module> network) {
        assertNoneIsReference(input, network, Precision.BF16);
    }

    private static void assertNoneIsReference(Shape input, Supplier<Module> network, Precision precision) {
        try (CpuBackend backend = CpuBackend.open(2);
                var _ = Scope.open("model", backend)) {
            for (OpKind op : OPS) {
                assumeTrue(backend.supports(op, precision.dtype()), op + " in " + precision);
            }
            Module net = network.get();
            net.computeIn(precision);
            try (TenonTraining training = new TenonTraining(net, 0.01, 0.9, 5e-4)) {
                training.batch(Tensor.zeros(input, DType.F32), Tensor.of(new int[input.dim(0)], input.dim(0)));
                training.forward();
                training.backward();
                training.update();
            }
            net.eval();
            for (Module form : new Module[] {net, InferenceForm.of(net)}) {
                try (var _ = Scope.open("inference");
                        var _ = GradMode.noGrad()) {
                    // One image, as in a prediction, and a full batch.
                    form.apply(Tensor.zeros(Shape.of(1, input.dim(1), input.dim(2), input.dim(3)), DType.F32));
                    form.apply(Tensor.zeros(input, DType.F32));
                }
            }
            assertThat(backend.primitiveReport()).isNotEmpty().noneMatch(PrimitiveReport::isReference);
        }
    }
}
