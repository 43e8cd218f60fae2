package tenon.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** The double of cuBLAS, in both versions, against numbers worked out here; and each wrong call that it must notice. */
@ParameterizedClass
@ValueSource(ints = {12, 13})
class CublasDoubleTest extends LibraryFixture {
    private static final int SUCCESS = 0;
    private static final int NOT_INITIALIZED = 1;
    private static final int INVALID_VALUE = 7;
    private static final int EXECUTION_FAILED = 13;
    private static final int NOT_SUPPORTED = 15;
    private static final int F32 = 0;
    private static final int BF16 = 14;
    private static final int COMPUTE_32F = 68;
    private static final int COMPUTE_32F_PEDANTIC = 69;
    private static final int COMPUTE_TF32 = 77;
    private static final int N = 0;
    private static final int T = 1;

    /** What TF32 cannot tell from 1. */
    private static final float ABOVE_ONE = 1 + 0x1p-12f;

    private final int version;
    private Native blas;
    private long handle;

    CublasDoubleTest(int version) {
        this.version = version;
    }

    @Override
    void open() {
        blas = new Native(SimulatedDevice.folder().resolve("libcublas.so." + version));
        handle = blas.create("cublasCreate_v2");
        must(blas.call("cublasSetStream_v2", handle, stream));
    }

    @Override
    void close() {
        must(blas.call("cublasDestroy_v2", handle));
    }

    private int gemm(
            int transA,
            int transB,
            int m,
            int n,
            int k,
            float alpha,
            long a,
            int lda,
            long b,
            int ldb,
            float beta,
            long c,
            int ldc) {
        return blas.call(
                "cublasSgemm_v2", handle, transA, transB, m, n, k, scalar(alpha), a, lda, b, ldb, scalar(beta), c, ldc);
    }

    private int gemmEx(int k, long a, int typeA, long b, long c, int typeC, int compute) {
        return blas.call(
                "cublasGemmEx",
                handle,
                N,
                N,
                1,
                1,
                k,
                scalar(1),
                a,
                typeA,
                1,
                b,
                typeA,
                k,
                scalar(0),
                c,
                typeC,
                1,
                compute,
                -1);
    }

    @Test
    void shouldSayItsVersion() {
        MemorySegment result = arena.allocate(4, 4);
        must(blas.call("cublasGetVersion_v2", handle, result));
        assertThat(result.get(ValueLayout.JAVA_INT, 0) / 10000).isEqualTo(version);
        assertThat(blas.text("cublasGetStatusName", INVALID_VALUE)).isEqualTo("CUBLAS_STATUS_INVALID_VALUE");
        assertThat(blas.text("cublasGetStatusString", SUCCESS)).isEqualTo("success");
    }

    @Test
    void shouldMultiplyColumnMajorMatrices() {
        // A = [1 2 3; 4 5 6], B = [7 8; 9 10; 11 12]: A B = [58 64; 139 154].
        long a = floats(1, 4, 2, 5, 3, 6);
        long b = floats(7, 9, 11, 8, 10, 12);
        long c = memory(16);
        must(gemm(N, N, 2, 2, 3, 1, a, 2, b, 3, 0, c, 2));
        assertThat(read(c, 4)).containsExactly(58, 139, 64, 154);
        must(gemm(N, N, 2, 2, 3, 2, a, 2, b, 3, -1, c, 2));
        assertThat(read(c, 4)).containsExactly(58, 139, 64, 154);
        // The same matrices transposed in memory.
        long at = floats(1, 2, 3, 4, 5, 6);
        long bt = floats(7, 8, 9, 10, 11, 12);
        must(gemm(T, T, 2, 2, 3, 1, at, 3, bt, 2, 0, c, 2));
        assertThat(read(c, 4)).containsExactly(58, 139, 64, 154);
    }

    @Test
    void shouldMultiplyOverUglySizes() {
        Random random = new Random(1);
        for (int[] size : new int[][] {{1, 1, 1}, {5, 3, 2}, {33, 31, 257}, {70, 65, 300}}) {
            int m = size[0];
            int n = size[1];
            int k = size[2];
            for (int trans = 0; trans < 4; trans++) {
                int transA = trans & 1;
                int transB = trans >> 1;
                int lda = (transA == N ? m : k) + 3;
                int ldb = (transB == N ? k : n) + 1;
                int ldc = m + 2;
                float[] a = new float[lda * (transA == N ? k : m)];
                float[] b = new float[ldb * (transB == N ? n : k)];
                float[] c = new float[ldc * n];
                for (float[] each : new float[][] {a, b, c}) {
                    for (int i = 0; i < each.length; i++) {
                        each[i] = random.nextFloat() - 0.5f;
                    }
                }
                long address = floats(c);
                must(gemm(transA, transB, m, n, k, 0.5f, floats(a), lda, floats(b), ldb, 2, address, ldc));
                float[] result = read(address, c.length);
                for (int j = 0; j < n; j++) {
                    for (int i = 0; i < m; i++) {
                        double sum = 0;
                        for (int p = 0; p < k; p++) {
                            sum += (double) a[transA == N ? i + p * lda : p + i * lda]
                                    * b[transB == N ? p + j * ldb : j + p * ldb];
                        }
                        assertThat(result[i + j * ldc])
                                .isCloseTo((float) (0.5 * sum + 2 * c[i + j * ldc]), within(2e-5f));
                    }
                    assertThat(result[m + j * ldc]).as("between columns").isEqualTo(c[m + j * ldc]);
                }
            }
        }
    }

    @Test
    void shouldTakeReducedPrecision() {
        long a = bfloats(1.5f, 3);
        long b = bfloats(2, 0.00390625f);
        long c = memory(4);
        must(gemmEx(2, a, BF16, b, c, F32, COMPUTE_32F));
        assertThat(read(c, 1)).containsExactly(3 + 3 * 0.00390625f);
        must(gemmEx(2, a, BF16, b, c, BF16, COMPUTE_32F));
        assertThat(readBfloats(c, 1)).containsExactly(3.015625f); // to nearest of eight bits
    }

    @Test
    void shouldRoundInputsOfTf32Only() {
        long a = floats(ABOVE_ONE);
        long b = floats(1);
        long c = memory(4);
        must(gemmEx(1, a, F32, b, c, F32, COMPUTE_32F));
        assertThat(read(c, 1)).containsExactly(ABOVE_ONE);
        must(gemmEx(1, a, F32, b, c, F32, COMPUTE_TF32));
        assertThat(read(c, 1)).containsExactly(1);
        must(blas.call("cublasSetMathMode", handle, 3));
        must(gemmEx(1, a, F32, b, c, F32, COMPUTE_32F));
        assertThat(read(c, 1)).containsExactly(1);
        must(gemmEx(1, a, F32, b, c, F32, COMPUTE_32F_PEDANTIC));
        assertThat(read(c, 1)).containsExactly(ABOVE_ONE);
    }

    @Test
    void shouldMultiplyBatches() {
        long a = floats(1, 2, 3, 4);
        long b = floats(5, 6, 7, 8);
        long c = memory(8);
        must(blas.call(
                "cublasGemmStridedBatchedEx",
                handle,
                N,
                N,
                1,
                1,
                2,
                scalar(1),
                a,
                F32,
                1,
                2L,
                b,
                F32,
                2,
                2L,
                scalar(0),
                c,
                F32,
                1,
                1L,
                2,
                COMPUTE_32F,
                -1));
        assertThat(read(c, 2)).containsExactly(17, 53);
        assertThat(blas.call(
                        "cublasGemmStridedBatchedEx",
                        handle,
                        N,
                        N,
                        1,
                        1,
                        2,
                        scalar(1),
                        a,
                        F32,
                        1,
                        2L,
                        b,
                        F32,
                        2,
                        2L,
                        scalar(0),
                        c,
                        F32,
                        1,
                        0L,
                        2,
                        COMPUTE_32F,
                        -1))
                .isEqualTo(EXECUTION_FAILED);
        violated("overlap");
    }

    @Test
    void shouldReadScalarsWhereThePointerModeSays() {
        long a = floats(2);
        long b = floats(3);
        long c = floats(10);
        must(blas.call("cublasSetPointerMode_v2", handle, 1));
        must(blas.call("cublasSgemm_v2", handle, N, N, 1, 1, 1, floats(4), a, 1, b, 1, floats(1), c, 1));
        assertThat(read(c, 1)).containsExactly(34);
        assertThat(blas.call("cublasSgemm_v2", handle, N, N, 1, 1, 1, scalar(4), a, 1, b, 1, floats(1), c, 1))
                .isEqualTo(EXECUTION_FAILED);
        violated("alpha");
        must(blas.call("cublasSetPointerMode_v2", handle, 0));
        assertThat(blas.call("cublasSgemm_v2", handle, N, N, 1, 1, 1, floats(4), a, 1, b, 1, scalar(1), c, 1))
                .isEqualTo(EXECUTION_FAILED);
        violated("alpha");
    }

    @Test
    void shouldRunLate() {
        simulator.streams(Simulator.Streams.LAZY);
        long a = floats(2);
        long b = floats(3);
        long c = floats(0);
        must(gemm(N, N, 1, 1, 1, 1, a, 1, b, 1, 0, c, 1));
        // Overwritten behind the product's back: it has not run yet.
        must(driver.call("cuMemcpyHtoD_v2", a, arena.allocateFrom(ValueLayout.JAVA_FLOAT, 5), 4L));
        simulator.clearViolations();
        assertThat(read(c, 1)[0]).isIn(6f, 15f);
    }

    @Test
    void shouldRefuseWhatTheLibraryRefuses() {
        long a = floats(1, 2, 3, 4);
        long c = memory(16);
        assertThat(gemm(N, N, 2, 2, 2, 1, a, 1, a, 2, 0, c, 2)).as("lda").isEqualTo(INVALID_VALUE);
        assertThat(gemm(N, N, 2, 2, 2, 1, a, 2, a, 1, 0, c, 2)).as("ldb").isEqualTo(INVALID_VALUE);
        assertThat(gemm(N, N, 2, 2, 2, 1, a, 2, a, 2, 0, c, 1)).as("ldc").isEqualTo(INVALID_VALUE);
        assertThat(gemm(7, N, 2, 2, 2, 1, a, 2, a, 2, 0, c, 2)).as("operation").isEqualTo(INVALID_VALUE);
        assertThat(gemm(N, N, -1, 2, 2, 1, a, 2, a, 2, 0, c, 2)).as("m").isEqualTo(INVALID_VALUE);
        assertThat(blas.call("cublasSgemm_v2", handle, N, N, 2, 2, 2, NULL, a, 2, a, 2, scalar(0), c, 2))
                .as("alpha")
                .isEqualTo(INVALID_VALUE);
        assertThat(gemmEx(1, a, BF16, a, c, 2, COMPUTE_32F)).as("types").isEqualTo(NOT_SUPPORTED);
        assertThat(gemmEx(1, a, BF16, a, c, F32, COMPUTE_TF32))
                .as("TF32 of BF16")
                .isEqualTo(NOT_SUPPORTED);
        assertThat(blas.call("cublasSetWorkspace_v2", handle, memory(512) + 16, 256L))
                .isEqualTo(INVALID_VALUE);
        must(gemm(N, N, 0, 2, 2, 1, NULL, 1, a, 2, 0, NULL, 1));
    }

    @Test
    void shouldSeeWrongMemory() {
        long a = floats(1, 2, 3, 4);
        long c = memory(16);
        assertThat(gemm(N, N, 2, 2, 2, 1, a, 2, arena.allocate(16).address(), 2, 0, c, 2))
                .isEqualTo(EXECUTION_FAILED);
        violated("B");
        assertThat(gemm(N, N, 2, 2, 2, 1, a, 2, a + 4, 2, 0, c, 2))
                .as("past the end")
                .isEqualTo(EXECUTION_FAILED);
        violated("B");
        assertThat(gemm(N, N, 1, 1, 1, 1, a, 1, a, 1, 0, c + 2, 1)).isEqualTo(EXECUTION_FAILED);
        violated("multiple of 4 bytes");
        assertThat(gemm(N, N, 2, 2, 2, 1, a, 2, c, 2, 0, c, 2)).isEqualTo(EXECUTION_FAILED);
        violated("overlap");
        long gone = floats(1, 2, 3, 4);
        free(gone);
        assertThat(gemm(N, N, 2, 2, 2, 1, a, 2, gone, 2, 0, c, 2)).isEqualTo(EXECUTION_FAILED);
        violated("B");
    }

    @Test
    void shouldSeeWrongHandles() {
        long a = floats(1);
        long c = memory(4);
        long other = blas.create("cublasCreate_v2");
        assertThat(blas.call("cublasSgemm_v2", other, N, N, 1, 1, 1, scalar(1), a, 1, a, 1, scalar(0), c, 1))
                .isEqualTo(EXECUTION_FAILED);
        violated("no stream");
        must(blas.call("cublasDestroy_v2", other));
        assertThat(blas.call("cublasSgemm_v2", other, N, N, 1, 1, 1, scalar(1), a, 1, a, 1, scalar(0), c, 1))
                .isEqualTo(NOT_INITIALIZED);
        violated("cublasHandle");
        MemorySegment second = arena.allocate(8);
        must(driver.call("cuCtxCreate_v2", second, 0, 0));
        assertThat(gemm(N, N, 1, 1, 1, 1, a, 1, a, 1, 0, c, 1)).isEqualTo(EXECUTION_FAILED);
        violated("another context");
        must(driver.call("cuCtxDestroy_v2", second.get(ValueLayout.JAVA_LONG, 0)));
        must(driver.call("cuCtxSetCurrent", context));
        assertThat(blas.call("cublasDgemm_v2")).isEqualTo(NOT_SUPPORTED);
        violated("cublasDgemm_v2");
    }

    @Test
    void shouldWriteToItsWorkspace() {
        long workspace = memory(1024);
        must(driver.call("cuMemcpyHtoD_v2", workspace, arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1), 4L));
        must(blas.call("cublasSetWorkspace_v2", handle, workspace, 1024L));
        long a = floats(1);
        long c = memory(4);
        must(gemm(N, N, 1, 1, 1, 1, a, 1, a, 1, 0, c, 1));
        assertThat(read(workspace, 1)[0]).isNaN();
        // A new stream takes the workspace away.
        must(driver.call("cuMemcpyHtoD_v2", workspace, arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1), 4L));
        must(blas.call("cublasSetStream_v2", handle, stream));
        must(gemm(N, N, 1, 1, 1, 1, a, 1, a, 1, 0, c, 1));
        assertThat(read(workspace, 1)).containsExactly(1);
    }

    @Test
    void shouldFailAndBeFaultyOnRequest() {
        long a = floats(2);
        long b = floats(3);
        long c = memory(4);
        simulator.failAt("cublasSgemm", 2, EXECUTION_FAILED);
        must(gemm(N, N, 1, 1, 1, 1, a, 1, b, 1, 0, c, 1));
        assertThat(gemm(N, N, 1, 1, 1, 1, a, 1, b, 1, 0, c, 1)).isEqualTo(EXECUTION_FAILED);
        simulator.fault("cublasSgemm", 1, Simulator.Fault.DROP);
        long untouched = memory(4);
        must(gemm(N, N, 1, 1, 1, 1, a, 1, b, 1, 0, untouched, 1));
        assertThat(read(untouched, 1)[0]).isNaN();
        assertThat(read(c, 1)).containsExactly(6);
    }
}
