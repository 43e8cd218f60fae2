package tenon.engine.backend.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import tenon.engine.nativelib.NativeLibrary;

/** cuBLAS of any release through the foreign-function API. */
final class ForeignBlas extends AbstractBlas {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final MemoryLayout POINTER = ValueLayout.ADDRESS;
    /** Addresses of the device are numbers here. */
    private static final MemoryLayout ADDRESS = LONG;

    private static final int DEFAULT_ALGORITHM = -1;

    private final NativeLibrary library;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment alphaMemory = arena.allocate(ValueLayout.JAVA_FLOAT);
    private final MemorySegment betaMemory = arena.allocate(ValueLayout.JAVA_FLOAT);
    private final MethodHandle gemmEx;
    private final long handle;

    ForeignBlas(CudaBackend backend, BlasMath math, NativeLibrary library) {
        super(backend, math);
        this.library = library;
        try {
            gemmEx = library.function(
                    "cublasGemmEx",
                    FunctionDescriptor.of(
                            INT, LONG, INT, INT, INT, INT, INT, POINTER, ADDRESS, INT, INT, ADDRESS, INT, INT, POINTER,
                            ADDRESS, INT, INT, INT, INT));
            backend.enter();
            MemorySegment out = arena.allocate(LONG);
            check("cublasCreate_v2", call("cublasCreate_v2", out));
            handle = out.get(LONG, 0);
        } catch (RuntimeException e) {
            arena.close();
            super.close();
            throw e;
        }
        try {
            check("cublasSetStream_v2", call("cublasSetStream_v2", handle, backend.compute.address()));
            check("cublasSetWorkspace_v2", call("cublasSetWorkspace_v2", handle, workspaceAddress(), workspaceBytes()));
            check("cublasSetMathMode", call("cublasSetMathMode", handle, math.mode()));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** For calls that are not made in every step. */
    private int call(String name, Object... arguments) {
        MemoryLayout[] layouts = new MemoryLayout[arguments.length];
        for (int i = 0; i < arguments.length; i++) {
            layouts[i] = switch (arguments[i]) {
                case Integer _ -> INT;
                case Long _ -> LONG;
                default -> POINTER;
            };
        }
        try {
            return (int)
                    library.function(name, FunctionDescriptor.of(INT, layouts)).invokeWithArguments(arguments);
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(name + " failed", e);
        }
    }

    @Override
    void call(
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
            int computeType) {
        alphaMemory.set(ValueLayout.JAVA_FLOAT, 0, alpha);
        betaMemory.set(ValueLayout.JAVA_FLOAT, 0, beta);
        int status;
        try {
            status = (int) gemmEx.invokeExact(
                    handle,
                    transposeA,
                    transposeB,
                    narrow(m),
                    narrow(n),
                    narrow(k),
                    alphaMemory,
                    a,
                    inputType,
                    narrow(lda),
                    b,
                    inputType,
                    narrow(ldb),
                    betaMemory,
                    c,
                    outputType,
                    narrow(ldc),
                    computeType,
                    DEFAULT_ALGORITHM);
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("cublasGemmEx failed", e);
        }
        check("cublasGemmEx", status);
    }

    private static void check(String call, int status) {
        if (status != 0) {
            throw failure(call, name(status));
        }
    }

    private static String name(int status) {
        return switch (status) {
            case 1 -> "CUBLAS_STATUS_NOT_INITIALIZED";
            case 3 -> "CUBLAS_STATUS_ALLOC_FAILED";
            case 7 -> "CUBLAS_STATUS_INVALID_VALUE";
            case 8 -> "CUBLAS_STATUS_ARCH_MISMATCH";
            case 11 -> "CUBLAS_STATUS_MAPPING_ERROR";
            case 13 -> "CUBLAS_STATUS_EXECUTION_FAILED";
            case 14 -> "CUBLAS_STATUS_INTERNAL_ERROR";
            case 15 -> "CUBLAS_STATUS_NOT_SUPPORTED";
            case 16 -> "CUBLAS_STATUS_LICENSE_ERROR";
            default -> "status " + status;
        };
    }

    @Override
    public String description() {
        try (Arena confined = Arena.ofConfined()) {
            MemorySegment version = confined.allocate(INT);
            check("cublasGetVersion_v2", call("cublasGetVersion_v2", handle, version));
            int number = version.get(INT, 0);
            return "cuBLAS " + number / 10000 + "." + number / 100 % 100 + " through the foreign-function API";
        }
    }

    @Override
    public void close() {
        call("cublasDestroy_v2", handle);
        arena.close();
        super.close();
    }
}
