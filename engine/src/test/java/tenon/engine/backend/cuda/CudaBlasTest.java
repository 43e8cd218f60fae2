package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.engine.DType;
import tenon.engine.DeviceException;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.nativelib.CudaLibraries;
import tenon.engine.testing.CleanDevice;
import tenon.engine.testing.CudaTesting;
import tenon.simulator.Simulator;

/** Both ways to call cuBLAS, and both releases. */
@ExtendWith(CleanDevice.class)
class CudaBlasTest {
    enum Way {
        JCUBLAS,
        FOREIGN_12,
        FOREIGN_13;

        Blas open(CudaBackend backend, BlasMath math) {
            return switch (this) {
                case JCUBLAS -> new JcublasBlas(backend, math);
                case FOREIGN_12 ->
                    new ForeignBlas(backend, math, CudaLibraries.cublas(12).orElseThrow());
                case FOREIGN_13 ->
                    new ForeignBlas(backend, math, CudaLibraries.cublas(13).orElseThrow());
            };
        }
    }

    private static final int[][] SIZES = {{1, 1, 1}, {2, 3, 4}, {5, 1, 7}, {1, 9, 2}, {17, 31, 33}, {3, 4, 0}};

    private final Simulator simulator = CudaTesting.simulator();

    @ParameterizedTest
    @EnumSource
    void multiplies(Way way) {
        Random random = new Random(7);
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("test", backend);
                Blas blas = way.open(backend, BlasMath.DEFAULT)) {
            for (int[] size : SIZES) {
                for (int transposes = 0; transposes < 4; transposes++) {
                    for (float beta : new float[] {0, 0.5f}) {
                        product(backend, blas, size, (transposes & 1) != 0, (transposes & 2) != 0, beta, random);
                    }
                }
            }
        }
    }

    private static void product(
            CudaBackend backend,
            Blas blas,
            int[] size,
            boolean transposeA,
            boolean transposeB,
            float beta,
            Random random) {
        int m = size[0];
        int n = size[1];
        int k = size[2];
        float[] a = values(m * k, random);
        float[] b = values(k * n, random);
        float[] c = values(m * n, random);
        Tensor left = Tensor.of(a, m * k);
        Tensor right = Tensor.of(b, k * n);
        Tensor out = beta == 0 ? Tensor.empty(Shape.of(m * n), DType.F32) : Tensor.of(c, m * n);
        synchronized (backend.lock) {
            backend.enter();
            blas.gemm(
                    transposeA,
                    transposeB,
                    m,
                    n,
                    k,
                    2,
                    left.address(),
                    right.address(),
                    DType.F32,
                    beta,
                    out.address(),
                    DType.F32);
        }
        float[] expected = new float[m * n];
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int l = 0; l < k; l++) {
                    sum += (double) a[transposeA ? l * m + i : i * k + l] * b[transposeB ? j * k + l : l * n + j];
                }
                expected[i * n + j] = (float) (2 * sum + (beta == 0 ? 0 : beta * c[i * n + j]));
            }
        }
        assertThat(out.toFloatArray()).containsExactly(expected, within(1e-4f));
    }

    private static org.assertj.core.data.Offset<Float> within(float offset) {
        return org.assertj.core.data.Offset.offset(offset);
    }

    private static float[] values(int count, Random random) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextInt(-8, 9) / 4f;
        }
        return values;
    }

    @ParameterizedTest
    @EnumSource
    void takesBf16AndGivesEither(Way way) {
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("test", backend);
                Blas blas = way.open(backend, BlasMath.TF32)) {
            Tensor a = bf16(1, 2, 3, 4);
            Tensor b = bf16(0.5f, -1, 2, 1);
            Tensor wide = Tensor.empty(Shape.of(2, 2), DType.F32);
            Tensor narrow = Tensor.empty(Shape.of(2, 2), DType.BF16);
            synchronized (backend.lock) {
                backend.enter();
                for (Tensor out : new Tensor[] {wide, narrow}) {
                    blas.gemm(
                            false,
                            false,
                            2,
                            2,
                            2,
                            1,
                            a.address(),
                            b.address(),
                            DType.BF16,
                            0,
                            out.address(),
                            out.dtype());
                }
            }
            assertThat(wide.toFloatArray()).containsExactly(4.5f, 1, 9.5f, 1);
            assertThat(narrow.toFloatArray()).containsExactly(4.5f, 1, 9.5f, 1);
        }
    }

    private static Tensor bf16(float... values) {
        short[] bits = new short[values.length];
        for (int i = 0; i < values.length; i++) {
            bits[i] = DType.floatToBf16(values[i]);
        }
        Tensor tensor = Tensor.empty(Shape.of(2, 2), DType.BF16);
        tensor.upload(java.lang.foreign.MemorySegment.ofArray(bits));
        return tensor;
    }

    @ParameterizedTest
    @EnumSource
    void failuresSayWhatToDo(Way way) {
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("test", backend);
                Blas blas = way.open(backend, BlasMath.PEDANTIC)) {
            Tensor a = Tensor.of(new float[] {2}, 1);
            simulator.failAt("cublasGemmEx", 1, 13);
            assertThatThrownBy(() -> blas.gemm(
                            false, false, 1, 1, 1, 1, a.address(), a.address(), DType.F32, 0, a.address(), DType.F32))
                    .isInstanceOf(DeviceException.class)
                    .hasMessage("gemm: cublasGemmEx: CUBLAS_STATUS_EXECUTION_FAILED (this or an earlier kernel failed;"
                            + " -Dtenon.cuda.blocking=true shows which)");
        }
    }

    @ParameterizedTest
    @EnumSource
    void openingFailsWhole(Way way) {
        try (CudaBackend backend = CudaTesting.open()) {
            Map<String, Long> live = simulator.live();
            for (String call :
                    new String[] {"cublasCreate", "cublasSetStream", "cublasSetWorkspace", "cublasSetMathMode"}) {
                simulator.failAt(call, 1, 3);
                assertThatThrownBy(() -> way.open(backend, BlasMath.DEFAULT))
                        .isInstanceOf(DeviceException.class)
                        .hasMessageContaining(call)
                        .hasMessageContaining("CUBLAS_STATUS_ALLOC_FAILED (the device has no memory left for cuBLAS");
                backend.general().trim();
                assertThat(simulator.live()).as(call).isEqualTo(live);
            }
        }
    }

    @Test
    void theModesHaveCublassNumbers() {
        assertThat(BlasMath.DEFAULT.computeType(DType.F32)).isEqualTo(68);
        assertThat(BlasMath.TF32.computeType(DType.F32)).isEqualTo(77);
        assertThat(BlasMath.TF32.computeType(DType.BF16)).isEqualTo(68);
        assertThat(BlasMath.PEDANTIC.computeType(DType.F32)).isEqualTo(69);
        assertThat(BlasMath.of(CudaTesting.options().withTf32(true))).isEqualTo(BlasMath.TF32);
        assertThat(BlasMath.of(CudaTesting.options())).isEqualTo(BlasMath.DEFAULT);
    }

    @Test
    void theBackendHasOneForItsRelease() {
        try (CudaBackend backend = CudaTesting.open()) {
            synchronized (backend.lock) {
                assertThat(backend.blas().description())
                        .startsWith("cuBLAS 12.")
                        .endsWith(" through JCublas");
                assertThat(backend.blas()).isSameAs(backend.blas());
            }
        }
    }
}
