package tenon.engine.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.nativelib.DnnlInfo;
import tenon.engine.ops.Activation;
import tenon.engine.ops.Casts;
import tenon.engine.ops.ConvSpec;

/** When Winograd's algorithm is taken, and what it keeps of the direct convolution's behaviour; ConvolutionContract compares its values. */
class WinogradTest {
    private final CpuBackend backend = CpuBackend.open(2);
    private final Scope scope = Scope.open("test", backend);

    @BeforeEach
    void needsVectors() {
        assumeTrue(backend.winograd != null, "the Vector API is switched off");
    }

    @AfterEach
    void close() {
        scope.close();
        backend.close();
    }

    private static Tensor noise(Shape shape, int seed) {
        Rng rng = new Rng(seed, 0, 0);
        float[] values = new float[(int) shape.elementCount()];
        for (int i = 0; i < values.length; i++) {
            values[i] = rng.uniform(i) - 0.5f;
        }
        Tensor tensor = Tensor.empty(shape, DType.F32);
        tensor.upload(values);
        return tensor;
    }

    private WinogradTile tile(int n, int size, int channels, int filters, int kernel, ConvSpec spec, DType dtype) {
        Shape weight = Shape.of(filters, kernel, kernel, channels / spec.groups());
        Tensor input = Tensor.empty(Shape.of(n, size, size, channels), dtype);
        return backend.winograd.tile(
                spec, input, weight, Tensor.empty(spec.outputShape(input.shape(), weight, null), dtype));
    }

    @Test
    void takesTheLayersOfVgg() {
        for (int[] layer :
                new int[][] {{224, 64, 64}, {112, 64, 128}, {56, 256, 256}, {28, 512, 512}, {14, 512, 512}}) {
            assertThat(tile(8, layer[0], layer[1], layer[2], 3, ConvSpec.of(1, 1), DType.F32))
                    .as("%d×%d, %d to %d channels", layer[0], layer[0], layer[1], layer[2])
                    .isNotNull();
        }
        WinogradTile five = tile(32, 27, 96, 256, 5, ConvSpec.of(1, 2), DType.F32);
        assertThat(five.m()).isEqualTo(2);
        assertThat(five.tiles()).isEqualTo(32 * 14 * 14);
    }

    @Test
    void leavesTheOthersAlone() {
        assertThat(tile(8, 56, 64, 64, 3, ConvSpec.of(2, 1), DType.F32))
                .as("stride")
                .isNull();
        assertThat(tile(8, 56, 64, 64, 1, ConvSpec.of(1, 0), DType.F32))
                .as("1x1")
                .isNull();
        assertThat(tile(8, 56, 64, 64, 3, ConvSpec.of(1, 2).withDilation(2), DType.F32))
                .as("dilation")
                .isNull();
        assertThat(tile(8, 56, 64, 64, 3, ConvSpec.of(1, 1).withGroups(64), DType.F32))
                .as("depthwise")
                .isNull();
        assertThat(tile(8, 56, 3, 64, 3, ConvSpec.of(1, 1), DType.F32))
                .as("3 channels")
                .isNull();
        assertThat(tile(1, 4, 512, 512, 3, ConvSpec.of(1, 1), DType.F32))
                .as("one tile cannot pay for the weights")
                .isNull();
    }

    @Test
    void twoRunsGiveTheSameBits() {
        ConvSpec spec = ConvSpec.of(1, 1);
        Tensor weight = noise(Shape.of(64, 3, 3, 64), 1);
        Tensor many = noise(Shape.of(40, 32, 32, 64), 2);
        WinogradTile tile = tile(40, 32, 64, 64, 3, spec, DType.F32);
        assertThat(tile.tiles()).as("more than one block").isGreaterThan(tile.block());
        Tensor output = Tensor.empty(many.shape(), DType.F32);
        Tensor again = Tensor.empty(many.shape(), DType.F32);
        backend.convolution().forward(spec, many, weight, null, Activation.RELU, output);
        backend.convolution().forward(spec, many, weight, null, Activation.RELU, again);
        assertThat(again.toFloatArray()).isEqualTo(output.toFloatArray());
    }

    @Test
    void bf16ImagesAgreeWithTheDirectConvolution() {
        assumeTrue(DnnlInfo.hasBf16() && !DnnlInfo.hasAmx(), "BF16 goes directly here");
        ConvSpec spec = ConvSpec.of(1, 1);
        assertThat(tile(8, 24, 256, 256, 3, spec, DType.BF16)).isNotNull();
        List<float[]> winograd = convolve(backend, spec);
        System.setProperty("tenon.winograd", "false");
        try (CpuBackend direct = CpuBackend.open(2)) {
            assertThat(direct.winograd).isNull();
            List<float[]> expected = convolve(direct, spec);
            for (int i = 0; i < expected.size(); i++) {
                // Output and gradInput are rounded to BF16; the direct one rounds the weights too.
                assertThat(relativeError(winograd.get(i), expected.get(i)))
                        .as("result %d", i)
                        .isLessThan(i < 2 ? 0x1.0p-7 : 1e-4);
            }
        } finally {
            System.clearProperty("tenon.winograd");
        }
    }

    /** Output, gradInput, gradWeight, gradBias. */
    private static List<float[]> convolve(CpuBackend on, ConvSpec spec) {
        try (var _ = Scope.open("run", on)) {
            Tensor input = Casts.cast(noise(Shape.of(8, 24, 24, 256), 1), DType.BF16);
            Tensor weight = noise(Shape.of(256, 3, 3, 256), 2);
            Tensor bias = noise(Shape.of(256), 3);
            Tensor gradOutput = Casts.cast(noise(Shape.of(8, 24, 24, 256), 4), DType.BF16);
            Tensor output = Tensor.empty(input.shape(), DType.BF16);
            Tensor gradInput = Tensor.empty(input.shape(), DType.BF16);
            Tensor gradWeight = Tensor.empty(weight.shape(), DType.F32);
            Tensor gradBias = Tensor.empty(bias.shape(), DType.F32);
            on.convolution().forward(spec, input, weight, bias, Activation.NONE, output);
            on.convolution().backwardInput(spec, gradOutput, weight, gradInput);
            on.convolution().backwardWeight(spec, input, gradOutput, gradWeight, gradBias);
            return Stream.of(output, gradInput, gradWeight, gradBias)
                    .map(Tensor::toFloatArray)
                    .toList();
        }
    }

    /** Root mean square of the difference over that of the expected values. */
    private static double relativeError(float[] actual, float[] expected) {
        double error = 0;
        double size = 0;
        for (int i = 0; i < expected.length; i++) {
            error += Math.pow(actual[i] - expected[i], 2);
            size += Math.pow(expected[i], 2);
        }
        return Math.sqrt(error / size);
    }

    @Test
    void nanStaysInTheTilesThatSeeIt() {
        ConvSpec spec = ConvSpec.of(1, 1);
        float[] values = new float[16 * 16 * 64];
        values[(8 * 16 + 8) * 64] = Float.NaN;
        Tensor input = Tensor.of(values, 1, 16, 16, 64);
        Tensor weight = Tensor.full(Shape.of(64, 3, 3, 64), DType.F32, 1);
        assertThat(tile(1, 16, 64, 64, 3, spec, DType.F32)).isNotNull();
        Tensor output = Tensor.empty(input.shape(), DType.F32);
        backend.convolution().forward(spec, input, weight, null, Activation.NONE, output);
        float[] result = output.toFloatArray();
        assertThat(result[(8 * 16 + 8) * 64]).isNaN();
        assertThat(result[0]).isZero();
        assertThat(result[result.length - 1]).isZero();
    }
}
