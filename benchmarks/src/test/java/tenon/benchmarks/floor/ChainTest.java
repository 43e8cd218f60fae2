package tenon.benchmarks.floor;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.NetworkSpec.Kind;
import tenon.engine.Precision;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.nativelib.DnnlInfo;
import tenon.layers.Summary;

/** The chain of a network holds everything that a training step computes, in optimized kernels. */
class ChainTest {
    private static final int CLASSES = 10;
    private static final int BATCH = 2;

    private static NetworkSpec spec(Kind kind) {
        return NetworkSpec.of(kind, CLASSES);
    }

    private static List<Op> record(Kind kind) {
        return ForwardRecorder.record(() -> spec(kind).build(), spec(kind).input(BATCH));
    }

    private static long count(List<Op> ops, Class<? extends Op> type) {
        return ops.stream().filter(type::isInstance).count();
    }

    /** Layers as the papers and the original experiments have them. */
    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {"MINIVGG", "ALEXNET", "VGG16", "GOOGLENET", "RESNET50", "SQUEEZENET"})
    void theRecordedOpsAreTheNetworks(Kind kind) {
        List<Op> ops = record(kind);
        long[] counts = {
            count(ops, Op.Convolution.class),
            count(ops, Op.Dense.class),
            count(ops, Op.Norm.class),
            count(ops, Op.Pool.class),
            count(ops, Op.Add.class),
            count(ops, Op.CopyInto.class),
            count(ops, Op.Softmax.class)
        };
        assertThat(counts)
                .as("convolutions, dense layers, batch norms, pools, additions, concatenated parts, losses")
                .containsExactly(
                        switch (kind) {
                            case MINIVGG -> new long[] {4, 2, 5, 2, 0, 0, 1};
                            case ALEXNET -> new long[] {5, 3, 7, 3, 0, 0, 1};
                            case VGG16 -> new long[] {13, 3, 15, 5, 0, 0, 1};
                            // Nine modules of six convolutions, a pool and four parts; a stem of three and two.
                            case GOOGLENET -> new long[] {57, 1, 57, 14, 0, 36, 1};
                            // Sixteen bottlenecks of three, four projections and the stem; norms before each but the
                            // projections.
                            case RESNET50 -> new long[] {53, 1, 51, 2, 16, 0, 1};
                            // Eight fire modules of three convolutions and two parts, with one before and one after.
                            case SQUEEZENET -> new long[] {26, 0, 0, 4, 0, 16, 1};
                            default -> throw new AssertionError(kind);
                        });
    }

    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {"MINIVGG", "ALEXNET", "VGG16", "GOOGLENET", "RESNET50", "SQUEEZENET"})
    void everyParameterGetsAGradientFromOptimizedKernels(Kind kind) {
        for (Precision precision : Precision.values()) {
            everyParameterGetsAGradientFromOptimizedKernels(kind, precision);
        }
    }

    private static void everyParameterGetsAGradientFromOptimizedKernels(Kind kind, Precision precision) {
        try (CpuBackend backend = CpuBackend.open(2);
                var _ = Scope.open("floor", backend);
                OneDnn dnnl = new OneDnn(2)) {
            if (!precision.availableOn(backend)) {
                return;
            }
            Chain chain = Floor.chain(
                    dnnl, backend, () -> spec(kind).build(), spec(kind).input(BATCH), precision);
            checkFlops(kind, chain);
            assertThat(chain.steps()).as("%s", precision).isNotEmpty();
            assertThat(chain.steps().stream()
                            .filter(step -> step.primitive().isReference())
                            .map(Step::family))
                    .as("%s: families that run on reference kernels", precision)
                    .containsExactlyElementsOf(referenceFamilies());
            chain.run();
            long elements = 0;
            for (Chain.Parameter parameter : chain.parameters()) {
                elements += parameter.value().elementCount();
                assertThat(sumOfMagnitudes(parameter.gradient())).isFinite().isPositive();
            }
            // Blocked layouts of weights are padded.
            long trained =
                    Summary.of(() -> spec(kind).build(), spec(kind).input(1)).trainable();
            assertThat(elements).isBetween(trained, trained + trained / 4);
        }
    }

    /** Below AVX-512 oneDNN's softmax has no other backward pass; the loss's takes 10 µs. Tenon computes it by itself. */
    static List<String> referenceFamilies() {
        return DnnlInfo.read().instructionSet().startsWith("avx2") ? List.of("softmax backward") : List.of();
    }

    /** Each convolution and dense layer once forwards and twice backwards, but for the gradient of the images. */
    private static void checkFlops(Kind kind, Chain chain) {
        Summary summary = Summary.of(() -> spec(kind).build(), spec(kind).input(1));
        long forward = 2 * BATCH * summary.multiplyAdds();
        assertThat(flops(chain, "forward")).isEqualTo(forward);
        assertThat(flops(chain, "backward weights")).isEqualTo(forward);
        Op.Convolution first = record(kind).stream()
                .filter(Op.Convolution.class::isInstance)
                .map(Op.Convolution.class::cast)
                .findFirst()
                .orElseThrow();
        // ResNet-50's images pass a batch norm with a learned shift, which needs a gradient.
        long without = kind == Kind.RESNET50 ? 0 : first.flops();
        assertThat(flops(chain, "backward data")).isEqualTo(forward - without);
    }

    private static long flops(Chain chain, String pass) {
        return chain.steps().stream()
                .filter(step -> step.family().endsWith(pass))
                .mapToLong(Step::flops)
                .sum();
    }

    private static double sumOfMagnitudes(Tensor tensor) {
        MemorySegment values = tensor.segment();
        double sum = 0;
        for (long i = 0; i < tensor.elementCount(); i++) {
            sum += Math.abs(values.getAtIndex(ValueLayout.JAVA_FLOAT, i));
        }
        return sum;
    }
}
