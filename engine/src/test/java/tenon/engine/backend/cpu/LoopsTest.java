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
import org.junit.jupiter.params.provider.ValueSource;
import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.ops.Activation;
import tenon.engine.ops.PoolSpec;

/** The vector loops give the bits of the plain ones, in F32 and BF16, on sizes that fill no vector and on special values. */
class LoopsTest {
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
        7f,
        -200f
    };

    /** One kernel on three buffers of {@link #SIZE} elements. */
    @FunctionalInterface
    interface Kernel {
        void run(boolean vector, boolean bf16, MemorySegment[] buffers);
    }

    private static ArithmeticLoops arithmetic(boolean vector) {
        return vector ? new VectorArithmeticLoops() : new ArithmeticLoops();
    }

    private static ActivationLoops activation(boolean vector) {
        return vector ? new VectorActivationLoops() : new ActivationLoops();
    }

    private static DropoutLoops dropout(boolean vector) {
        return vector ? new VectorDropoutLoops() : new DropoutLoops();
    }

    private static CastLoops cast(boolean vector) {
        return vector ? new VectorCastLoops() : new CastLoops();
    }

    private static MaxPoolLoops maxPool(boolean vector) {
        return vector ? new VectorMaxPoolLoops() : new MaxPoolLoops();
    }

    private static AveragePoolLoops averagePool(boolean vector) {
        return vector ? new VectorAveragePoolLoops() : new AveragePoolLoops();
    }

    private static ReductionLoops reduction(boolean vector) {
        return vector ? new VectorReductionLoops() : new ReductionLoops();
    }

    private static ChannelLoops channels(boolean vector) {
        return vector ? new VectorChannelLoops() : new ChannelLoops();
    }

    private static NormKernels norm(boolean vector, boolean bf16) {
        if (!vector) {
            return new ScalarNormKernels(bf16 ? DType.BF16 : DType.F32);
        }
        return bf16 ? new Bf16NormKernels() : new F32NormKernels();
    }

    /** Per-channel numbers of a line of 37 elements. */
    private static NormLine line() {
        NormLine line = new NormLine();
        line.layOut(37, true);
        for (int i = 0; i < 37; i++) {
            line.mean[i] = i / 64f;
            line.scale[i] = 1 - i / 16f;
            line.shift[i] = i / 8f - 2;
            line.slope[i] = i / 128f;
            line.offset[i] = 1 / (1f + i);
        }
        return line;
    }

    /** A kernel that adds to two arrays of sums, which the third buffer takes. */
    private static void sums(MemorySegment[] buffers, BiConsumer<float[], float[]> kernel) {
        float[] first = new float[37];
        float[] second = new float[37];
        kernel.accept(first, second);
        MemorySegment.copy(first, 0, buffers[2], ValueLayout.JAVA_FLOAT, 0, 37);
        MemorySegment.copy(second, 0, buffers[2], ValueLayout.JAVA_FLOAT, 37 * 4, 37);
    }

    static Stream<Arguments> activationKernels() {
        return Stream.of(
                        Activation.NONE,
                        Activation.RELU,
                        Activation.RELU6,
                        Activation.leakyRelu(0.1f),
                        Activation.elu(0.3f),
                        Activation.SIGMOID,
                        Activation.TANH)
                .flatMap(a -> Stream.of(
                        of(a.opName(), (v, h, b) -> activation(v).forward(a, h, b[0], 5, b[2], 3, SIZE - 5)),
                        of(a.opName() + " of few", (v, h, b) -> activation(v).forward(a, h, b[0], 5, b[2], 3, 7)),
                        of(
                                a.opName() + " in place",
                                (v, h, b) -> activation(v).forward(a, h, b[0], 3, b[0], 3, SIZE - 3)),
                        of(
                                a.opName() + " backward",
                                (v, h, b) -> activation(v).backward(a, h, b[0], b[1], 5, b[2], 3, SIZE - 5)),
                        of(
                                a.opName() + " backward of few",
                                (v, h, b) -> activation(v).backward(a, h, b[0], b[1], 5, b[2], 3, 7)),
                        of(
                                a.opName() + " backward in place",
                                (v, h, b) -> activation(v).backward(a, h, b[0], b[1], 3, b[1], 3, SIZE - 3)),
                        of(
                                a.opName() + " backward in place of the output",
                                (v, h, b) -> activation(v).backward(a, h, b[0], b[1], 3, b[0], 3, SIZE - 3))));
    }

    static Stream<Arguments> normKernels() {
        return Stream.of(0f, 0.4f, Float.POSITIVE_INFINITY)
                .flatMap(ceiling -> Stream.of(
                        of("normalize", (v, h, b) -> norm(v, h).normalize(b[0], 5, b[2], 9, 37, line(), ceiling)),
                        of(
                                "normalizeAdd",
                                (v, h, b) -> norm(v, h).normalizeAdd(b[0], b[1], b[2], 5, 37, line(), ceiling)),
                        of("apply", (v, h, b) -> norm(v, h).apply(b[0], 5, b[1], 9, b[2], 37, line(), ceiling)),
                        of(
                                "apply in place",
                                (v, h, b) -> norm(v, h).apply(b[0], 5, b[2], 5, b[2], 37, line(), ceiling)),
                        of(
                                "reduce",
                                (v, h, b) -> sums(
                                        b,
                                        (first, second) -> norm(v, h)
                                                .reduce(b[0], 90, b[1], 77, 37, line(), ceiling, first, second))),
                        of(
                                "reduceMasking",
                                (v, h, b) -> sums(
                                        b,
                                        (first, second) -> norm(v, h)
                                                .reduceMasking(
                                                        b[0], b[1], b[0], b[1], 90, 37, line(), ceiling, first,
                                                        second))),
                        of(
                                "moments",
                                (v, h, b) -> sums(
                                        b,
                                        (first, second) ->
                                                norm(v, h).moments(b[0], 90, 3, 37, line().mean, first, second)))));
    }

    static Stream<Arguments> kernels() {
        return Stream.of(elementKernels(), activationKernels(), normKernels()).flatMap(kernels -> kernels);
    }

    private static Stream<Arguments> elementKernels() {
        return Stream.of(
                of("copy", (v, _, b) -> channels(v).copy(b[0], 37 * 4, 20, b[2], 41 * 4, 8, 84, 0, 4)),
                of("copy few", (v, _, b) -> channels(v).copy(b[0], 14, 2, b[2], 10, 4, 6, 0, 20)),
                of("add", (v, h, b) -> arithmetic(v).add(h, b[0], b[1], b[2], 3, SIZE)),
                of("multiply", (v, h, b) -> arithmetic(v).multiply(h, b[0], b[1], b[2], 3, SIZE)),
                of("scale", (v, h, b) -> arithmetic(v).scale(h, b[0], 1.1f, b[2], 3, SIZE)),
                of("shift", (v, h, b) -> arithmetic(v).shift(h, b[0], 1.1f, b[2], 3, SIZE)),
                of("addRows", (v, h, b) -> arithmetic(v).addRows(h, b[0], b[1], b[2], 37, 1, 5)),
                of("multiplyRows", (v, h, b) -> arithmetic(v).multiplyRows(h, b[0], b[1], b[2], 37, 1, 5)),
                of("fill", (v, h, b) -> arithmetic(v).fill(h, b[2], 2.5f, 3, SIZE)),
                of("addRelu", (v, h, b) -> activation(v).addRelu(h, b[0], b[1], b[2], 3, SIZE)),
                of("prelu", (v, h, b) -> activation(v).prelu(h, b[0], slopes(), b[2], 37, 1, 5)),
                of("preluBackward", (v, h, b) -> activation(v).preluBackward(h, b[0], slopes(), b[1], b[2], 37, 1, 5)),
                of("preluSlopes", (v, h, b) -> {
                    float[] sums = new float[37];
                    activation(v).preluSlopes(h, b[0], b[1], sums, 37, 1, 5);
                    MemorySegment.copy(sums, 0, b[2], ValueLayout.JAVA_FLOAT, 0, 37);
                }),
                of("dropout", (v, h, b) -> dropout(v).dropout(h, b[0], b[2], 1 << 22, 1.5f, -1L, -2, -3, 4, SIZE)),
                of("toBf16", (v, _, b) -> cast(v).toBf16(b[0], b[2], 3, SIZE)),
                of("fromBf16", (v, _, b) -> cast(v).fromBf16(b[0], b[2], 3, SIZE)),
                of("fromBytes", (v, h, b) -> cast(v).fromBytes(h, b[0], b[2], 3, SIZE)));
    }

    private static Arguments of(String name, Kernel kernel) {
        return Arguments.of(name, kernel);
    }

    private static MemorySegment slopes() {
        MemorySegment slopes = Arena.ofAuto().allocate(37 * 4, 64);
        for (int i = 0; i < 37; i++) {
            Floats.set(slopes, i, (i - 5) / 32f);
        }
        return slopes;
    }

    private static MemorySegment[] buffers(Arena arena, boolean bf16) {
        MemorySegment[] buffers = new MemorySegment[3];
        for (int seed = 0; seed < buffers.length; seed++) {
            buffers[seed] = arena.allocate(SIZE * 4, 64);
            Rng rng = new Rng(seed, 0, 0);
            for (int i = 0; i < SIZE; i++) {
                Floats.set(bf16, buffers[seed], i, (float) rng.nextUniform(-8, 8));
            }
            for (int i = 0; i < SPECIAL.length; i++) {
                Floats.set(bf16, buffers[seed], 7 * i + seed, SPECIAL[i]);
                Floats.set(bf16, buffers[seed], SIZE - 1 - i, SPECIAL[i]);
            }
        }
        return buffers;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void vectorGivesTheScalarBits(String name, Kernel kernel) {
        for (boolean bf16 : new boolean[] {false, true}) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment[] expected = buffers(arena, bf16);
                MemorySegment[] actual = buffers(arena, bf16);
                kernel.run(false, bf16, expected);
                kernel.run(true, bf16, actual);
                for (int i = 0; i < expected.length; i++) {
                    for (int j = 0; j < SIZE; j++) {
                        // All NaN are one.
                        assertThat(Float.floatToIntBits(Floats.get(bf16, actual[i], j)))
                                .as("bf16 %s buffer %d element %d", bf16, i, j)
                                .isEqualTo(Float.floatToIntBits(Floats.get(bf16, expected[i], j)));
                    }
                }
            }
        }
    }

    static Stream<PoolSpec> pools() {
        return Stream.of(
                PoolSpec.of(2, 2),
                PoolSpec.of(3, 2, 1),
                PoolSpec.of(3, 1, 1),
                PoolSpec.of(2, 3),
                PoolSpec.of(3, 2, 1).withCountPadding(true),
                PoolSpec.of(5, 3, 2));
    }

    @ParameterizedTest
    @MethodSource("pools")
    void poolingAgrees(PoolSpec floor) {
        PoolSpec spec = floor.withCeilMode(true);
        for (int c : new int[] {1, 16, 21, 35}) {
            for (boolean bf16 : new boolean[] {false, true}) {
                assertThat(pool(true, bf16, spec, c))
                        .as("%s, %d channels, bf16 %s", spec, c, bf16)
                        .isDeepEqualTo(pool(false, bf16, spec, c));
            }
        }
    }

    private static byte[][] pool(boolean vector, boolean bf16, PoolSpec spec, int c) {
        Shape in = Shape.of(2, 6, 5, c);
        Shape out = spec.outputShape("pool2d", in);
        PoolGeometry geometry = PoolGeometry.of(spec, in, out);
        long inRows = 2L * in.dim(1);
        long outRows = 2L * out.dim(1);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment input = arena.allocate(in.elementCount() * 4, 64);
            MemorySegment output = arena.allocate(out.elementCount() * 4, 64);
            MemorySegment winners = arena.allocate(out.elementCount(), 64);
            MemorySegment gradInput = arena.allocate(in.elementCount() * 4, 64);
            MemorySegment mean = arena.allocate(out.elementCount() * 4, 64);
            MemorySegment gradMean = arena.allocate(in.elementCount() * 4, 64);
            Rng rng = new Rng(c, 0, 0);
            for (int i = 0; i < in.elementCount(); i++) {
                int draw = rng.nextInt(20);
                Floats.set(bf16, input, i, draw == 0 ? Float.NaN : draw == 1 ? Float.NEGATIVE_INFINITY : draw / 4);
            }
            maxPool(vector).forward(bf16, geometry, input, output, winners, 0, outRows);
            maxPool(vector).backward(bf16, geometry, output, winners, gradInput, 0, inRows);
            averagePool(vector).forward(bf16, geometry, input, mean, 0, outRows);
            averagePool(vector).backward(bf16, geometry, mean, gradMean, 0, inRows);
            byte[][] results = new byte[5][];
            MemorySegment[] segments = {output, winners, gradInput, mean, gradMean};
            for (int i = 0; i < results.length; i++) {
                results[i] = segments[i].toArray(ValueLayout.JAVA_BYTE);
            }
            return results;
        }
    }

    @Test
    void sumsAgree() {
        ReductionLoops scalar = reduction(false);
        ReductionLoops vector = reduction(true);
        for (boolean bf16 : new boolean[] {false, true}) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment in = arena.allocate(SIZE * 4, 64);
                Rng rng = new Rng(5, 0, 0);
                for (int i = 0; i < SIZE; i++) {
                    Floats.set(bf16, in, i, (float) rng.nextUniform(-1, 1));
                }
                assertThat(vector.sum(bf16, in, 1, SIZE)).isCloseTo(scalar.sum(bf16, in, 1, SIZE), within(1e-12));
                double[] expected = new double[2 * 37];
                double[] actual = new double[2 * 37];
                scalar.columnSums(bf16, in, 37, 1, 5, expected, 37);
                vector.columnSums(bf16, in, 37, 1, 5, actual, 37);
                assertThat(actual).containsExactly(expected, within(1e-12));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void findsWhatIsNotFinite(boolean vector) {
        ReductionLoops loops = reduction(vector);
        for (boolean bf16 : new boolean[] {false, true}) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment in = arena.allocate(SIZE * 4, 64);
                for (int at : new int[] {3, 100, SIZE - 1}) {
                    assertThat(loops.isFinite(bf16, in, 0, SIZE)).isTrue();
                    Floats.set(bf16, in, at, at == 3 ? Float.NaN : Float.NEGATIVE_INFINITY);
                    assertThat(loops.isFinite(bf16, in, 0, SIZE)).isFalse();
                    Floats.set(bf16, in, at, 0);
                }
            }
        }
    }

    /** Against F64, over the exponents of F32 down to where the result is constant. */
    @Test
    void exponentialIsAccurateToTwoUnitsAndToBf16() {
        for (float x = -87; x < -1e-30f; x *= 0.9997f) {
            double exact = Math.exp(x);
            assertThat(Math.abs(Exponential.exp(x) - exact)).as("exp(%s)", x).isLessThanOrEqualTo(2 * ulp(exact));
            double less = Math.expm1(x);
            assertThat(Math.abs(Exponential.expm1(x) - less)).as("expm1(%s)", x).isLessThanOrEqualTo(2 * ulp(less));
            double error = Math.abs(Exponential.expm1ToBf16(x) - less);
            assertThat(error).as("BF16's expm1(%s)", x).isLessThanOrEqualTo(-0x1p-15 * less);
        }
        assertThat(Exponential.exp(0)).isEqualTo(1);
        assertThat(Exponential.expm1(0)).isZero();
        assertThat(Exponential.expm1ToBf16(-0f)).isZero();
        assertThat(Exponential.expm1(Float.NEGATIVE_INFINITY)).isEqualTo(-1);
        assertThat(Exponential.expm1ToBf16(Float.NEGATIVE_INFINITY)).isEqualTo(-1);
        assertThat(Exponential.exp(Float.NaN)).isNaN();
    }

    private static double ulp(double x) {
        return Math.ulp((float) x);
    }

    /** Rounding of sums: ties to even, the largest finite numbers to infinity, small ones to denormals. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bf16SumsRoundToNearestEven(boolean vector) {
        float[][] sums = {
            {1, 0x1p-8f, 1},
            {1, 0x1.8p-8f, 1 + 0x1p-7f},
            {1 + 0x1p-7f, 0x1p-8f, 1 + 0x1p-6f},
            {-1, -0x1p-8f, -1},
            {0x1.FEp127f, 0x1p119f, Float.POSITIVE_INFINITY},
            {0x1.FEp127f, 0x1p118f, 0x1.FEp127f},
            {0x1p-133f, 0x1p-133f, 0x1p-132f},
            {-0f, -0f, -0f},
            {Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN}
        };
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment a = arena.allocate(64 * 2, 64);
            MemorySegment b = arena.allocate(64 * 2, 64);
            for (float[] sum : sums) {
                for (int i = 0; i < 64; i++) {
                    Floats.set(true, a, i, sum[0]);
                    Floats.set(true, b, i, sum[1]);
                }
                arithmetic(vector).add(true, a, b, a, 0, 61);
                for (int i = 0; i < 61; i++) {
                    assertThat(Floats.get(true, a, i))
                            .as("%s + %s", sum[0], sum[1])
                            .isEqualTo(Float.valueOf(sum[2]));
                }
                assertThat(Floats.get(true, a, 61)).isEqualTo(Float.valueOf(sum[0]));
            }
        }
    }

    /** Every NaN stays one, whatever its payload. */
    @ParameterizedTest
    @ValueSource(ints = {0x7FFFFFFF, 0x7F800001, 0xFFFFFFFF, 0xFF80FFFF, 0x7FC00000})
    void castKeepsNaN(int bits) {
        for (boolean vector : new boolean[] {false, true}) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment in = arena.allocate(33 * 4, 64);
                MemorySegment out = arena.allocate(33 * 2, 64);
                for (int i = 0; i < 33; i++) {
                    Floats.setInt(in, i, bits);
                }
                cast(vector).toBf16(in, out, 0, 33);
                for (int i = 0; i < 33; i++) {
                    assertThat(DType.bf16ToFloat(out.getAtIndex(ValueLayout.JAVA_SHORT, i)))
                            .isNaN();
                }
            }
        }
    }
}
