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
import tenon.engine.DType;
import tenon.engine.Rng;

/** The vector loops give the bits of the scalar ones, on a size that fills no vector and on special values. */
class UpdateLoopsTest {
    private static final int SIZE = 203;
    private static final float[] SPECIAL = {
        0f, -0f, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.MIN_VALUE, -1e-40f, Float.MAX_VALUE
    };

    private final UpdateLoops scalar = new ScalarUpdateLoops();
    private final UpdateLoops vector = new VectorUpdateLoops();

    static Stream<Arguments> loops() {
        return Stream.of(
                of("sgd", (loops, m) -> {
                    m.first = null;
                    loops.sgd(m, 0.1f, 0, false, 0.5f, 0.01f, 3, SIZE);
                }),
                of("sgd momentum", (loops, m) -> loops.sgd(m, 0.1f, 0.9f, false, 0.5f, 0.01f, 3, SIZE)),
                of("sgd nesterov", (loops, m) -> loops.sgd(m, 0.1f, 0.9f, true, 0.5f, 0.01f, 3, SIZE)),
                of("adam", (loops, m) -> loops.adam(m, 0.1f, 0.9f, 0.99f, 1e-8f, 2, 3, 0.9f, 0.5f, 0.01f, 3, SIZE)),
                of("rmsprop", (loops, m) -> {
                    m.second = null;
                    loops.rmsprop(m, 0.1f, 0.9f, 1e-8f, 0, 0.5f, 0.01f, 3, SIZE);
                }),
                of("rmsprop momentum", (loops, m) -> loops.rmsprop(m, 0.1f, 0.9f, 1e-8f, 0.9f, 0.5f, 0.01f, 3, SIZE)));
    }

    private static Arguments of(String name, BiConsumer<UpdateLoops, UpdateLoops.Memory> loop) {
        return Arguments.of(name, loop);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("loops")
    void vectorLoopsGiveTheScalarBits(String name, BiConsumer<UpdateLoops, UpdateLoops.Memory> loop) {
        try (Arena arena = Arena.ofConfined()) {
            for (boolean copied : new boolean[] {false, true}) {
                MemorySegment expected = run(loop, scalar, copied, arena);
                MemorySegment actual = run(loop, vector, copied, arena);
                assertThat(actual.mismatch(expected)).as(name).isEqualTo(-1);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("loops")
    void theCopyIsTheRoundedWeight(String name, BiConsumer<UpdateLoops, UpdateLoops.Memory> loop) {
        try (Arena arena = Arena.ofConfined()) {
            for (UpdateLoops loops : new UpdateLoops[] {scalar, vector}) {
                UpdateLoops.Memory m = memory(arena.allocate(SIZE * 18, 64), true);
                loop.accept(loops, m);
                for (int i = 3; i < SIZE; i++) {
                    short bits = m.copy.getAtIndex(ValueLayout.JAVA_SHORT, i - m.copyStart);
                    assertThat(bits).isEqualTo(DType.floatToBf16(Floats.get(m.weight, i)));
                }
            }
        }
    }

    /** Weight, gradient, both states and the copy, one after the other. */
    private static MemorySegment run(
            BiConsumer<UpdateLoops, UpdateLoops.Memory> loop, UpdateLoops loops, boolean copied, Arena arena) {
        MemorySegment all = arena.allocate(SIZE * 18, 64);
        loop.accept(loops, memory(all, copied));
        return all;
    }

    private static UpdateLoops.Memory memory(MemorySegment all, boolean copied) {
        UpdateLoops.Memory m = new UpdateLoops.Memory();
        m.weight = slice(all, 0);
        m.grad = slice(all, 1);
        // Square averages are never negative.
        m.first = absolute(slice(all, 2));
        m.second = absolute(slice(all, 3));
        m.copy = copied ? all.asSlice(SIZE * 16, SIZE * 2) : null;
        m.copyStart = 2;
        return m;
    }

    private static MemorySegment slice(MemorySegment all, int index) {
        MemorySegment slice = all.asSlice(index * SIZE * 4, SIZE * 4);
        Rng rng = new Rng(index, 0, 0);
        for (int i = 0; i < SIZE; i++) {
            Floats.set(slice, i, (float) rng.nextUniform(-8, 8));
        }
        for (int i = 0; i < SPECIAL.length; i++) {
            Floats.set(slice, 7 * i + index, SPECIAL[i]);
        }
        return slice;
    }

    private static MemorySegment absolute(MemorySegment slice) {
        for (int i = 0; i < SIZE; i++) {
            Floats.set(slice, i, Math.abs(Floats.get(slice, i)));
        }
        return slice;
    }

    @Test
    void sumsOfSquaresAgree() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment values = arena.allocate(SIZE * 4, 64);
            double expected = 0;
            for (int i = 0; i < SIZE; i++) {
                Floats.set(values, i, i - 90.5f);
                expected += i < 3 ? 0 : (i - 90.5) * (i - 90.5);
            }
            for (UpdateLoops loops : new UpdateLoops[] {scalar, vector}) {
                assertThat(loops.sumOfSquares(values, 3, SIZE)).isCloseTo(expected, within(1e-9 * expected));
                Floats.set(values, 100, Float.NaN);
                assertThat(loops.sumOfSquares(values, 3, SIZE)).isNaN();
                Floats.set(values, 100, 9.5f);
            }
        }
    }
}
