package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.ops.Activation;
import tenon.engine.ops.PoolSpec;
import tenon.engine.testing.CudaTesting;

/** Tensors of 2^31 elements and more, and of more than 2^32 bytes. */
class LargeTensorTest {
    /** More than 2^31 elements, the last three of them behind the last whole vector. */
    private static final Shape LARGE = Shape.of(65537, 32771);

    /** Where a 32-bit number takes part in an index that may pass 2^31: of a thread or a block, or as the product of two sizes. */
    private static final List<Pattern> NARROW = List.of(
            Pattern.compile("\\b(int|unsigned) \\w+ = [^;]*(blockIdx|gridDim)"),
            Pattern.compile("\\bint \\w+ = [\\w.]+ \\* [\\w.]+;"),
            Pattern.compile("for \\((int|unsigned) \\w+ = [^;]*(threadIdx|lane\\(\\))"));

    @Test
    void noIndexOfAKernelIsNarrow() throws IOException, URISyntaxException {
        Path resources = Path.of(Objects.requireNonNull(LargeTensorTest.class.getResource("prelude.cuh"))
                        .toURI())
                .getParent();
        try (Stream<Path> files = Files.list(resources)) {
            for (Path file :
                    files.filter(file -> file.toString().matches(".*\\.cuh?")).toList()) {
                for (String line : Files.readAllLines(file)) {
                    assertThat(NARROW)
                            .as("%s: %s", file.getFileName(), line)
                            .noneMatch(pattern -> pattern.matcher(line).find());
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1",
        "256, 1",
        "257, 2",
        "2147483648, 8388608",
        "549755813632, 2147483647",
        "1099511627776, 2147483647"
    })
    void gridsEndWhereCudasDo(long threads, int blocks) {
        assertThat(Launch.blocks(threads)).isEqualTo(blocks);
    }

    @Test
    void whatIsTooLargeForCudnnIsLeftToOwnKernels() {
        PoolSpec halves = PoolSpec.of(2, 2);
        assertThat(pooling(halves, 32767).isCudnns()).isTrue();
        assertThat(pooling(halves, 32768).isCudnns()).isFalse();
    }

    private static CudnnPooling.Geometry pooling(PoolSpec spec, int images) {
        return new CudnnPooling.Geometry(
                true, spec, Shape.of(images, 256, 256, 1), Shape.of(images, 128, 128, 1), DType.F32);
    }

    /** In 6 GiB of memory. */
    @Test
    @EnabledIfSystemProperty(
            named = "tenon.test.large",
            matches = "true",
            disabledReason = "takes two minutes and 6 GiB: -Dtenon.test.large=true")
    void theLastOfMoreThanTwoToTheThirtyFirstElementsAreComputed() {
        long count = LARGE.elementCount();
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("large", backend)) {
            Tensor bytes = Tensor.empty(LARGE, DType.U8);
            Tensor x = Tensor.empty(LARGE, DType.BF16);
            Tensor sum = Tensor.empty(Shape.scalar(), DType.BF16);
            backend.fill(bytes, 0);
            byte[] last = {1, 2, 3, 4, 5, 6, 7, 8, 9};
            backend.hostCopies.upload(MemorySegment.ofArray(last), bytes.address() + count - 9);
            backend.cast(bytes, x);
            backend.add(x, x, x);
            backend.activation().forward(Activation.RELU, x, x);
            backend.sumTo(x, sum);
            assertThat(ends(backend, x)).containsExactly(0, 0, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18);
            assertThat(sum.item()).isEqualTo(90);
            backend.hostCopies.upload(
                    MemorySegment.ofArray(new short[] {DType.floatToBf16(Float.NaN)}), x.address() + 2 * (count - 1));
            assertThat(backend.isFinite(x)).isFalse();
        }
    }

    /** The first three and the last nine elements. */
    private static float[] ends(CudaBackend backend, Tensor x) {
        short[] bits = new short[12];
        MemorySegment host = MemorySegment.ofArray(bits);
        backend.hostCopies.download(x.address(), host.asSlice(0, 6));
        backend.hostCopies.download(x.address() + 2 * (x.elementCount() - 9), host.asSlice(6));
        float[] values = new float[12];
        for (int i = 0; i < 12; i++) {
            values[i] = DType.bf16ToFloat(bits[i]);
        }
        return values;
    }
}
