package tenon.engine.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.ops.PoolSpec;

/** The vector kernels give the bits of the scalar ones, on sizes that fill no vector and on special values. */
class FloatKernelsTest {
    private static final int SIZE = 203;
    private static final float[] SPECIAL = {
        0f,
        -0f,
        Float.NaN,
        Float.POSITIVE_INFINITY,
        Float.NEGATIVE_INFINITY,
        Float.MIN_VALUE,
        -1e-40f,
        Float.MAX_VALUE,
        6f,
        7f
    };

    private final FloatKernels scalar = new ScalarKernels();
    private final FloatKernels vector = new VectorKernels();

    private static float[] values(int seed) {
        Rng rng = new Rng(seed, 0, 0);
        float[] values = new float[SIZE];
        for (int i = 0; i < SIZE; i++) {
            values[i] = (float) rng.nextUniform(-8, 8);
        }
        for (int i = 0; i < SPECIAL.length; i++) {
            values[7 * i + seed] = SPECIAL[i];
        }
        return values;
    }

    private static MemorySegment[] buffers(Arena arena) {
        MemorySegment[] buffers = new MemorySegment[4];
        for (int i = 0; i < buffers.length; i++) {
            buffers[i] = arena.allocate(SIZE * 4, 64);
            float[] values = values(i);
            if (i == 3) {
                // Square averages are never negative.
                for (int j = 0; j < SIZE; j++) {
                    values[j] = Math.abs(values[j]);
                }
            }
            MemorySegment.copy(values, 0, buffers[i], ValueLayout.JAVA_FLOAT, 0, SIZE);
        }
        return buffers;
    }

    static Stream<Arguments> kernels() {
        return Stream.of(
                of("add", (k, b) -> k.add(b[0], b[1], b[2], 3, SIZE)),
                of("addRelu", (k, b) -> k.addRelu(b[0], b[1], b[2], 3, SIZE)),
                of("multiply", (k, b) -> k.multiply(b[0], b[1], b[2], 3, SIZE)),
                of("scale", (k, b) -> k.scale(b[0], 1.1f, b[2], 3, SIZE)),
                of("shift", (k, b) -> k.shift(b[0], 1.1f, b[2], 3, SIZE)),
                of("addRows", (k, b) -> k.addRows(b[0], b[1], b[2], 37, 1, 5)),
                of("multiplyRows", (k, b) -> k.multiplyRows(b[0], b[1], b[2], 37, 1, 5)),
                of("relu", (k, b) -> k.relu(b[0], b[2], 3, SIZE)),
                of("reluBackward", (k, b) -> k.reluBackward(b[0], b[1], b[2], 3, SIZE)),
                of("relu6", (k, b) -> k.relu6(b[0], b[2], 3, SIZE)),
                of("relu6Backward", (k, b) -> k.relu6Backward(b[0], b[1], b[2], 3, SIZE)),
                of("fill", (k, b) -> k.fill(b[2], 2.5f, 3, SIZE)),
                of("copyColumns", (k, b) -> k.copyColumns(b[0], 37, 5, b[2], 41, 2, 21, 0, 4)),
                of("copyFewColumns", (k, b) -> k.copyColumns(b[0], 7, 1, b[2], 5, 2, 3, 0, 20)),
                of("dropout", (k, b) -> k.dropout(b[0], b[2], 1 << 22, 1.5f, -1L, -2, -3, 4, SIZE)),
                of("toBf16", (k, b) -> k.toBf16(b[0], b[2], 3, SIZE)),
                of("fromBf16", (k, b) -> k.fromBf16(b[0], b[2], 3, SIZE)));
    }

    @Test
    void maxPoolingAgrees() {
        int[][] cases = {{2, 2, 0}, {3, 2, 1}, {3, 1, 1}, {2, 3, 0}};
        for (int[] spec : cases) {
            for (int c : new int[] {1, 16, 21, 35}) {
                maxPoolingAgrees(PoolSpec.of(spec[0], spec[1], spec[2]).withCeilMode(true), c);
            }
        }
    }

    private void maxPoolingAgrees(PoolSpec spec, int c) {
        Shape in = Shape.of(2, 6, 5, c);
        Shape out = spec.outputShape("max_pool2d", in);
        MaxPoolGeometry geometry = MaxPoolGeometry.of(spec, in, out);
        byte[][] results = new byte[6][];
        int result = 0;
        for (FloatKernels kernels : new FloatKernels[] {scalar, vector}) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment input = arena.allocate(in.elementCount() * 4, 64);
                MemorySegment output = arena.allocate(out.elementCount() * 4, 64);
                MemorySegment winners = arena.allocate(out.elementCount(), 64);
                MemorySegment gradInput = arena.allocate(in.elementCount() * 4, 64);
                Rng rng = new Rng(c, 0, 0);
                for (int i = 0; i < in.elementCount(); i++) {
                    int draw = rng.nextInt(20);
                    Floats.set(input, i, draw == 0 ? Float.NaN : draw == 1 ? Float.NEGATIVE_INFINITY : draw / 4);
                }
                kernels.maxPool(geometry, input, output, winners, 0, 2L * out.dim(1));
                kernels.maxPoolBackward(geometry, output, winners, gradInput, 0, 2);
                results[result++] = output.toArray(ValueLayout.JAVA_BYTE);
                results[result++] = winners.toArray(ValueLayout.JAVA_BYTE);
                results[result++] = gradInput.toArray(ValueLayout.JAVA_BYTE);
            }
        }
        for (int i = 0; i < 3; i++) {
            assertThat(results[3 + i])
                    .as("result %d of %s over %s", i, spec, in)
                    .isEqualTo(results[i]);
        }
    }

    private static Arguments of(String name, BiConsumer<FloatKernels, MemorySegment[]> kernel) {
        return Arguments.of(name, kernel);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void vectorGivesTheScalarBits(String name, BiConsumer<FloatKernels, MemorySegment[]> kernel) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment[] expected = buffers(arena);
            MemorySegment[] actual = buffers(arena);
            kernel.accept(scalar, expected);
            kernel.accept(vector, actual);
            for (int i = 0; i < expected.length; i++) {
                for (int j = 0; j < SIZE; j++) {
                    // All NaN are one.
                    assertThat(Float.floatToIntBits(Floats.get(actual[i], j)))
                            .as("buffer %d element %d", i, j)
                            .isEqualTo(Float.floatToIntBits(Floats.get(expected[i], j)));
                }
            }
        }
    }

    @Test
    void sumsAgree() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment in = arena.allocate(SIZE * 4, 64);
            Rng rng = new Rng(5, 0, 0);
            for (int i = 0; i < SIZE; i++) {
                Floats.set(in, i, (float) rng.nextUniform(-1, 1));
            }
            assertThat(vector.sum(in, 1, SIZE)).isCloseTo(scalar.sum(in, 1, SIZE), within(1e-12));
            double[] expected = new double[2 * 37];
            double[] actual = new double[2 * 37];
            scalar.columnSums(in, 37, 1, 5, expected, 37);
            vector.columnSums(in, 37, 1, 5, actual, 37);
            assertThat(actual).containsExactly(expected, within(1e-12));
        }
    }

    @Test
    void findsWhatIsNotFinite() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment in = arena.allocate(SIZE * 4, 64);
            for (FloatKernels kernels : new FloatKernels[] {scalar, vector}) {
                for (int at : new int[] {3, 100, SIZE - 1}) {
                    assertThat(kernels.isFinite(in, 0, SIZE)).isTrue();
                    Floats.set(in, at, at == 3 ? Float.NaN : Float.NEGATIVE_INFINITY);
                    assertThat(kernels.isFinite(in, 0, SIZE)).isFalse();
                    Floats.set(in, at, 0);
                }
            }
        }
    }
}
