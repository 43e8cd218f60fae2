package tenon.engine.backend.cuda;

import tenon.engine.DType;
import tenon.engine.DeviceException;
import tenon.engine.TenonException;
import tenon.engine.memory.Storage;

/** What the two ways to call cuBLAS have in common: row-major products as column-major ones, workspace, statuses. */
abstract class AbstractBlas implements Blas {
    /** What NVIDIA recommends for Hopper and newer, and for older GPUs. */
    private static final long WORKSPACE_HOPPER = 32L << 20;

    private static final long WORKSPACE = 4L << 20;
    private static final int HOPPER = 90;

    final CudaBackend backend;
    final BlasMath math;
    /** Of its own, never given to anything else: recorded steps keep the address. */
    private final Storage workspace;

    AbstractBlas(CudaBackend backend, BlasMath math) {
        this.backend = backend;
        this.math = math;
        workspace = backend.general().allocate(workspaceBytes());
    }

    final long workspaceAddress() {
        return workspace.blockAddress();
    }

    final long workspaceBytes() {
        long wanted = backend.context.capability() >= HOPPER ? WORKSPACE_HOPPER : WORKSPACE;
        return Math.max(256, Math.min(wanted, backend.options.workspaceLimit()));
    }

    @Override
    public final void gemm(
            boolean transposeA,
            boolean transposeB,
            long m,
            long n,
            long k,
            float alpha,
            long a,
            long b,
            DType inputs,
            float beta,
            long c,
            DType output) {
        if (m == 0 || n == 0) {
            return;
        }
        // cuBLAS's matrices are column-major: it sees ours transposed, so Cᵀ = op(B)ᵀ·op(A)ᵀ is what it is asked for.
        call(
                transposeB ? 1 : 0,
                transposeA ? 1 : 0,
                n,
                m,
                k,
                alpha,
                b,
                Math.max(1, transposeB ? k : n),
                a,
                Math.max(1, transposeA ? m : k),
                type(inputs),
                beta,
                c,
                n,
                type(output),
                math.computeType(inputs));
        backend.launched("gemm");
    }

    /** cublasGemmEx with its own argument order and algorithm CUBLAS_GEMM_DEFAULT. */
    abstract void call(
            int transposeA,
            int transposeB,
            long m,
            long n,
            long k,
            float alpha,
            long a,
            long lda,
            long b,
            long ldb,
            int inputType,
            float beta,
            long c,
            long ldc,
            int outputType,
            int computeType);

    private static int type(DType dtype) {
        return switch (dtype) {
            case F32 -> 0;
            case BF16 -> 14;
            case F64, U8, I32 -> throw new IllegalArgumentException("gemm: F32 or BF16: " + dtype);
        };
    }

    /** The largest size that the 32-bit interface takes. */
    static int narrow(long value) {
        if (value > Integer.MAX_VALUE) {
            throw new DeviceException(TenonException.where("gemm") + ": this cuBLAS takes matrices of fewer than 2^31"
                    + " rows and columns: " + value + " (split the batch)");
        }
        return (int) value;
    }

    static DeviceException failure(String call, String status) {
        return new DeviceException(TenonException.where("gemm") + ": " + call + ": " + status + advice(status));
    }

    private static String advice(String status) {
        return switch (status) {
            case "CUBLAS_STATUS_NOT_INITIALIZED", "CUBLAS_STATUS_ALLOC_FAILED" ->
                " (the device has no memory left for cuBLAS: lower -Dtenon.cuda.memory.limit so that some stays free,"
                        + " or use a smaller batch)";
            case "CUBLAS_STATUS_ARCH_MISMATCH" ->
                " (this cuBLAS does not know the GPU; install another release of CUDA)";
            case "CUBLAS_STATUS_EXECUTION_FAILED" ->
                " (this or an earlier kernel failed; -Dtenon.cuda.blocking=true shows which)";
            default -> "";
        };
    }

    @Override
    public void close() {
        workspace.release();
    }
}
