package tenon.engine.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.ops.PoolSpec;

/** The vector loops find the maxima, winners and gradients of the plain ones, bit by bit: equals, zeros of both signs, infinities, NaNs that differ. */
class MaxPoolLoopsTest {
    private static final float[][] VALUES = {
        {0f, -0f, 1f, -1f, 1f},
        {0f, -0f, -3f, Float.NEGATIVE_INFINITY, Float.MAX_VALUE},
        {-0f, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 2f, 0f},
        {Float.NEGATIVE_INFINITY},
    };
    private static final float[] NANS = {Float.NaN, Float.intBitsToFloat(0x7FC10000), Float.intBitsToFloat(0xFFC20000)};

    static Stream<PoolSpec> pools() {
        return Stream.of(
                PoolSpec.of(2, 2),
                PoolSpec.of(3, 2),
                PoolSpec.of(3, 2, 1),
                PoolSpec.of(3, 1, 1),
                PoolSpec.of(2, 1),
                PoolSpec.of(1, 2),
                PoolSpec.of(2, 3),
                PoolSpec.of(3, 3, 1),
                PoolSpec.of(4, 1, 2),
                PoolSpec.of(5, 2, 2));
    }

    @ParameterizedTest
    @MethodSource("pools")
    void vectorsAgree(PoolSpec spec) {
        for (boolean ceil : new boolean[] {false, true}) {
            for (int c : new int[] {3, 8, 21, 32}) {
                for (boolean bf16 : new boolean[] {false, true}) {
                    for (float[] values : VALUES) {
                        for (int nans : new int[] {0, 1, 200}) {
                            agree(spec.withCeilMode(ceil), c, bf16, values, nans);
                        }
                    }
                }
            }
        }
    }

    private static void agree(PoolSpec spec, int c, boolean bf16, float[] values, int nans) {
        Shape in = Shape.of(2, 8, 9, c);
        Shape out = spec.outputShape("pool2d", in);
        PoolGeometry geometry = PoolGeometry.of(spec, in, out);
        try (Arena arena = Arena.ofConfined()) {
            Rng rng = new Rng(c + nans, 0, 0);
            MemorySegment input = random(arena, rng, bf16, in, values);
            for (int i = 0; i < nans; i++) {
                Floats.set(bf16, input, rng.nextInt((int) in.elementCount()), NANS[i % NANS.length]);
            }
            MemorySegment gradient = random(arena, rng, bf16, out, new float[] {1f, -1f, -0f, 0.3f, Float.NaN});
            assertThat(results(new VectorMaxPoolLoops(), arena, bf16, geometry, input, gradient, in, out))
                    .as("%s, %d channels, bf16 %s, %d NaNs", spec, c, bf16, nans)
                    .isDeepEqualTo(results(new MaxPoolLoops(), arena, bf16, geometry, input, gradient, in, out));
        }
    }

    private static MemorySegment random(Arena arena, Rng rng, boolean bf16, Shape shape, float[] values) {
        MemorySegment segment = arena.allocate(shape.elementCount() * 4, 64);
        for (int i = 0; i < shape.elementCount(); i++) {
            Floats.set(bf16, segment, i, values[rng.nextInt(values.length)]);
        }
        return segment;
    }

    /** Output, winners, output without winners, gradient. */
    private static byte[][] results(
            MaxPoolLoops loops,
            Arena arena,
            boolean bf16,
            PoolGeometry g,
            MemorySegment input,
            MemorySegment gradient,
            Shape in,
            Shape out) {
        MemorySegment output = arena.allocate(out.elementCount() * 4, 64);
        MemorySegment alone = arena.allocate(out.elementCount() * 4, 64);
        MemorySegment winners = arena.allocate(out.elementCount(), 64);
        MemorySegment gradInput = arena.allocate(in.elementCount() * 4, 64).fill((byte) 7);
        loops.forward(bf16, g, input, output, winners, 0, 2L * g.p());
        loops.forward(bf16, g, input, alone, null, 0, 2L * g.p());
        loops.backward(bf16, g, gradient, winners, gradInput, 0, 2L * g.h());
        return Stream.of(output, alone, winners, gradInput)
                .map(segment -> segment.toArray(ValueLayout.JAVA_BYTE))
                .toArray(byte[][]::new);
    }
}
