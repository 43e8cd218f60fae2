package tenon.engine.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.bytedeco.dnnl.global.dnnl.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.Stream;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.nativelib.DnnlInfo;

/** Copies by blocks have the bits of oneDNN's reorders, chunk by chunk and in any order; what is not made of whole blocks is not taken. */
class BlockCopyTest {
    private CpuBackend cpu;

    @BeforeEach
    void open() {
        cpu = CpuBackend.open(2);
    }

    @AfterEach
    void close() {
        cpu.close();
    }

    private static Arguments of(Shape shape, int groups, int source, DType dtype, int target) {
        return Arguments.of(new WeightGeometry(shape, groups), source, dtype, target);
    }

    static Stream<Arguments> known() {
        Shape three = Shape.of(96, 3, 2, 48);
        Shape one = Shape.of(208, 1, 1, 80);
        Shape grouped = Shape.of(96, 3, 3, 32);
        return Stream.of(
                        of(three, 1, dnnl_ABcd16b16a, DType.BF16, dnnl_AcdB64a2b),
                        of(three, 1, dnnl_ABcd16b16a, DType.BF16, dnnl_AcdB48a2b),
                        of(three, 1, dnnl_ABcd16b16a, DType.BF16, dnnl_AcdB16b64a2b),
                        of(one, 1, dnnl_ABcd16b16a, DType.BF16, dnnl_BcdA64b2a),
                        of(one, 1, dnnl_ABcd16b16a, DType.BF16, dnnl_AcdB32a2b),
                        of(grouped, 3, dnnl_aBCde16c16b, DType.BF16, dnnl_aBdeC32b2c),
                        of(three, 1, dnnl_ABcd16b16a, DType.F32, dnnl_Acdb64a),
                        of(one, 1, dnnl_ABcd16b16a, DType.F32, dnnl_Bcda48b),
                        of(one, 1, dnnl_ABcd16b16a, DType.F32, dnnl_ABcd16a16b),
                        of(three, 1, dnnl_ABcd16b16a, DType.F32, dnnl_cdba),
                        of(three, 1, dnnl_ABcd8b8a, DType.F32, dnnl_Acdb24a),
                        of(one, 1, dnnl_ABcd8b8a, DType.F32, dnnl_Bcda24b),
                        of(one, 1, dnnl_acdb, DType.F32, dnnl_ABcd8b8a),
                        of(one, 1, dnnl_acdb, DType.F32, dnnl_Bcda24b),
                        of(one, 1, dnnl_acdb, DType.BF16, dnnl_AcdB64a2b),
                        of(Shape.of(64, 1, 1, 8), 1, dnnl_acdb, DType.F32, dnnl_ABcd8a8b),
                        of(three, 1, dnnl_cdba, DType.F32, dnnl_Acdb24a),
                        of(three, 1, dnnl_cdba, DType.F32, dnnl_Bcda24b),
                        of(three, 1, dnnl_cdba, DType.BF16, dnnl_AcdB64a2b),
                        of(Shape.of(8, 3, 3, 16), 1, dnnl_cdba, DType.F32, dnnl_ABcd8b8a))
                .filter(arguments -> DnnlInfo.hasBf16() || arguments.get()[2] == DType.F32);
    }

    @ParameterizedTest
    @MethodSource("known")
    void hasTheBitsOfTheReorder(WeightGeometry geometry, int sourceTag, DType dtype, int targetTag) {
        assumeThat(Lanes.L).isGreaterThanOrEqualTo(BlockLoops.LANES);
        WeightLayout source = layout(geometry, DType.F32, sourceTag);
        WeightLayout target = layout(geometry, dtype, targetTag);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment weight = random(geometry, source, arena);
            MemorySegment expected = arena.allocate(target.byteSize(), 64);
            synchronized (cpu.dnnl) {
                cpu.layouts.convert(source, weight.address(), target, expected.address());
            }
            for (long limit : new long[] {1, 1 << 14, 1 << 20}) {
                BlockCopy copy = BlockCopy.of(source, target, limit);
                assertThat(copy).isNotNull();
                MemorySegment actual = arena.allocate(target.byteSize(), 64);
                long count = source.elementCount();
                for (long from = 0; from < count; from += copy.chunk()) {
                    long to = Math.min(count, from + copy.chunk());
                    MemorySegment in = dtype == DType.BF16 ? rounded(weight, from, to, arena) : weight;
                    copy.run(in.address(), dtype == DType.BF16 ? from : 0, actual.address(), from, to);
                }
                assertThat(actual.mismatch(expected)).isEqualTo(-1);
            }
        }
    }

    static Stream<Arguments> unknown() {
        Shape whole = Shape.of(32, 3, 3, 32);
        return Stream.of(
                of(Shape.of(24, 1, 1, 32), 1, dnnl_ABcd16b16a, DType.BF16, dnnl_BcdA64b2a),
                of(Shape.of(32, 1, 1, 19), 1, dnnl_ABcd16b16a, DType.F32, dnnl_Acdb64a),
                of(Shape.of(48, 1, 1, 32), 1, dnnl_ABcd16b16a, DType.F32, dnnl_Acdb24a),
                of(whole, 1, dnnl_Acdb16a, DType.BF16, dnnl_AcdB64a2b),
                of(whole, 1, dnnl_acdb, DType.F32, dnnl_Acdb64a),
                of(Shape.of(64, 1, 1, 12), 1, dnnl_acdb, DType.F32, dnnl_Acdb64a),
                of(whole, 1, dnnl_abcd, DType.F32, dnnl_Acdb64a));
    }

    @ParameterizedTest
    @MethodSource("unknown")
    void leavesOtherLayoutsToOneDnn(WeightGeometry geometry, int source, DType dtype, int target) {
        assertThat(BlockCopy.of(layout(geometry, DType.F32, source), layout(geometry, dtype, target), 1 << 20))
                .isNull();
    }

    private WeightLayout layout(WeightGeometry geometry, DType dtype, int tag) {
        long[] dims = geometry.dims();
        dnnl_memory_desc descriptor = new dnnl_memory_desc();
        synchronized (cpu.dnnl) {
            Dnnl.check(
                    dnnl_memory_desc_create_with_tag(descriptor, dims.length, dims, Build.dataType(dtype), tag),
                    "dnnl_memory_desc_create_with_tag",
                    geometry);
            try {
                return cpu.layouts.of(geometry, dtype, descriptor);
            } finally {
                Dnnl.check(dnnl_memory_desc_destroy(descriptor), "dnnl_memory_desc_destroy", geometry);
            }
        }
    }

    private static MemorySegment random(WeightGeometry geometry, WeightLayout layout, Arena arena) {
        Rng rng = new Rng(1, 0, 0);
        float[] values = new float[Math.toIntExact(layout.elementCount())];
        assertThat(values.length).isEqualTo((int) geometry.shape().elementCount());
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) rng.nextUniform(-1, 1);
        }
        values[5] = Float.POSITIVE_INFINITY;
        values[300] = -0f;
        MemorySegment memory = arena.allocate(layout.byteSize(), 64);
        memory.copyFrom(MemorySegment.ofArray(values));
        return memory;
    }

    private static MemorySegment rounded(MemorySegment weight, long from, long to, Arena arena) {
        MemorySegment bf16 = arena.allocate(2 * (to - from), 64);
        for (long i = from; i < to; i++) {
            bf16.setAtIndex(ValueLayout.JAVA_SHORT, i - from, DType.floatToBf16(Floats.get(weight, i)));
        }
        return bf16;
    }
}
