package tenon.engine.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.nativelib.DnnlInfo;
import tenon.engine.ops.Activation;
import tenon.engine.ops.Activations;
import tenon.engine.ops.Arithmetic;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.Convolution;
import tenon.engine.ops.Dense;
import tenon.engine.ops.Padding;

/** No primitive of the networks' layers, forward or backward, falls to oneDNN's reference loops, which are a hundred times slower. */
class ImplementationTest {
    private CpuBackend cpu;
    private Scope scope;

    @BeforeEach
    void open() {
        cpu = CpuBackend.open(2);
        scope = Scope.open("test", cpu);
    }

    @AfterEach
    void close() {
        scope.close();
        cpu.close();
    }

    private static Tensor leaf(int... dims) {
        return Tensor.full(Shape.of(dims), DType.F32, 0.5).requireGrad(true);
    }

    private void backwardAndCheck(Tensor output, int primitives) {
        output.backward(Tensor.full(output.shape(), output.dtype(), 1));
        List<PrimitiveReport> reports = cpu.primitiveReport();
        assertThat(reports).hasSizeGreaterThanOrEqualTo(primitives).noneMatch(PrimitiveReport::isReference);
    }

    /** The direct kernels take 2.5 times as long for three channels and a stride. */
    @Test
    void theGradientOfAStridedStemsImagesIsAMatrixProduct() {
        Tensor output = Convolution.conv2d(leaf(2, 32, 32, 3), leaf(16, 7, 7, 3), null, ConvSpec.of(2, 3));
        output.backward(Tensor.full(output.shape(), output.dtype(), 1));
        assertThat(cpu.primitiveReport())
                .filteredOn(report -> report.op().equals("conv2d BACKWARD_INPUT"))
                .singleElement()
                .satisfies(report -> assertThat(report.implementation()).contains("gemm:jit"));
    }

    static Stream<Arguments> chosen() {
        String product = "brg_matmul:avx2";
        return Stream.of(
                Arguments.of("1x1", 14, 64, 32, 1, ConvSpec.of(1, 0), "jit_1x1:avx2", "jit_1x1:avx2", "jit_1x1:avx2"),
                Arguments.of("wide 1x1", 7, 640, 256, 1, ConvSpec.of(1, 0), "jit_1x1:avx2", "brgconv_1x1", product),
                Arguments.of("wide 1x1 stride 2", 8, 512, 64, 1, ConvSpec.of(2, 0), "jit_1x1:avx2", "jit_1x1", "gemm"),
                Arguments.of(
                        "strided", 16, 32, 32, 3, ConvSpec.of(2, 1), "brg_conv_fwd", "brgconv_strided", "gemm:jit"),
                Arguments.of("stem", 32, 3, 64, 7, ConvSpec.of(2, 3), "jit:avx2", "gemm:jit", "gemm:jit"),
                Arguments.of("small stem", 32, 3, 32, 3, ConvSpec.of(1, 1), "jit:avx2", "brg_conv_bwd", "jit:avx2"));
    }

    /** On AVX2; a kernel that oneDNN no longer has would be replaced by its first choice without a word. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("chosen")
    void takesTheFasterKernel(
            String name,
            int size,
            int channels,
            int filters,
            int kernel,
            ConvSpec spec,
            String forward,
            String backwardInput,
            String backwardWeight) {
        assumeThat(DnnlInfo.read().instructionSet()).isEqualTo("avx2");
        Tensor input = leaf(2, size, size, channels);
        Tensor output = Convolution.conv2d(
                input, leaf(filters, kernel, kernel, channels), leaf(filters), spec, Activation.elu(1));
        output.backward(Tensor.full(output.shape(), output.dtype(), 1));
        assertThat(implementation("FORWARD")).contains(forward);
        assertThat(implementation("BACKWARD_INPUT")).contains(backwardInput);
        assertThat(implementation("BACKWARD_WEIGHT")).contains(backwardWeight);
    }

    private String implementation(String pass) {
        return cpu.primitiveReport().stream()
                .filter(report -> report.op().equals("conv2d " + pass))
                .findFirst()
                .orElseThrow()
                .implementation();
    }

    @Test
    void theGeneralKernelComputesNoDepthwiseWeightGradient() {
        for (int size : new int[] {1, 2, 3, 4, 14}) {
            for (int stride : new int[] {1, 2}) {
                ConvSpec spec = ConvSpec.of(stride, 1).withGroups(64);
                Tensor output = Convolution.conv2d(leaf(2, size, size, 64), leaf(64, 3, 3, 1), null, spec);
                output.backward(Tensor.full(output.shape(), output.dtype(), 1));
            }
        }
        assertThat(cpu.primitiveReport())
                .filteredOn(report -> report.op().equals("conv2d BACKWARD_WEIGHT"))
                .isNotEmpty()
                .allSatisfy(report -> assertThat(report.implementation()).contains("dw"));
    }

    static Stream<Arguments> convolutions() {
        return Stream.of(
                Arguments.of("AlexNet 1", 55, 3, 96, 11, new ConvSpec(4, 4, Padding.NONE, 1, 1, 1)),
                Arguments.of(
                        "AlexNet 2 in groups", 13, 96, 256, 5, ConvSpec.of(1, 2).withGroups(2)),
                Arguments.of("ResNet stem", 64, 3, 64, 7, ConvSpec.of(2, 3)),
                Arguments.of("VGG", 14, 512, 512, 3, ConvSpec.of(1, 1)),
                Arguments.of("1x1", 14, 256, 64, 1, ConvSpec.of(1, 0)),
                Arguments.of("1x1 stride 2", 14, 256, 512, 1, ConvSpec.of(2, 0)),
                Arguments.of("one channel", 28, 1, 32, 3, ConvSpec.of(1, 1)),
                Arguments.of("LeNet", 28, 1, 20, 5, ConvSpec.of(1, 2)),
                Arguments.of("asymmetric", 14, 64, 64, 3, ConvSpec.of(2, 0).withPadding(new Padding(0, 1, 0, 1))),
                Arguments.of("dilated", 14, 64, 64, 3, ConvSpec.of(1, 2).withDilation(2)),
                Arguments.of("depthwise", 14, 64, 64, 3, ConvSpec.of(1, 1).withGroups(64)),
                Arguments.of(
                        "depthwise stride 2", 14, 64, 64, 3, ConvSpec.of(2, 1).withGroups(64)),
                Arguments.of("odd channels", 14, 50, 21, 3, ConvSpec.of(1, 1)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("convolutions")
    void convolution(String name, int size, int channels, int filters, int kernel, ConvSpec spec) {
        Tensor input = leaf(2, size, size, channels);
        Tensor weight = leaf(filters, kernel, kernel, channels / spec.groups());
        backwardAndCheck(Convolution.conv2d(input, weight, leaf(filters), spec), 3);
        // Winograd's algorithm uses the same products with and without an activation, in F32 and BF16.
        boolean winograd =
                cpu.primitiveReport().stream().anyMatch(report -> report.op().contains("winograd"));
        backwardAndCheck(Convolution.conv2d(input, weight, leaf(filters), spec, Activation.RELU), winograd ? 3 : 4);
        if (DnnlInfo.hasBf16()) {
            Tensor half = Tensor.full(input.shape(), DType.BF16, 0.5).requireGrad(true);
            backwardAndCheck(Convolution.conv2d(half, weight, leaf(filters), spec), winograd ? 3 : 7);
        }
    }

    @Test
    void aSharedInputsGradientIsAddedToInPlace() {
        for (int kernel : new int[] {1, 3, 5}) {
            ConvSpec spec = ConvSpec.of(1, kernel / 2);
            Tensor x = Activations.relu(leaf(2, 14, 14, 64));
            Tensor left = Convolution.conv2d(x, leaf(32, kernel, kernel, 64), null, spec);
            Tensor right = Convolution.conv2d(x, leaf(32, kernel, kernel, 64), null, spec);
            backwardAndCheck(Arithmetic.add(left, right), 3);
            String size = kernel + ", " + kernel;
            assertThat(cpu.primitiveReport())
                    .anyMatch(report -> report.op().contains("ACCUMULATE_INPUT")
                            && report.key().contains(size));
        }
    }

    @Test
    void dense() {
        backwardAndCheck(Dense.dense(leaf(16, 300), leaf(10, 300), leaf(10)), 3);
        backwardAndCheck(Dense.dense(leaf(16, 300), leaf(10, 300), leaf(10), Activation.RELU), 4);
        if (DnnlInfo.hasBf16()) {
            Tensor half = Tensor.full(Shape.of(16, 300), DType.BF16, 0.5).requireGrad(true);
            backwardAndCheck(Dense.dense(half, leaf(10, 300), leaf(10)), 7);
        }
    }
}
