package tenon.engine.backend.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.CudaException;
import jcuda.Pointer;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.runtime.cudaStream_t;
import tenon.engine.nativelib.JcudaNatives;

/** cuBLAS 12 through JCublas, which takes no other. */
final class JcublasBlas extends AbstractBlas {
    private static final int DEFAULT_ALGORITHM = -1;

    private final cublasHandle handle = new cublasHandle();
    private final ByteBuffer scalars = ByteBuffer.allocateDirect(16).order(ByteOrder.nativeOrder());
    private final Pointer alphaPointer = Pointer.toBuffer(scalars.slice(0, 4));
    private final Pointer betaPointer = Pointer.toBuffer(scalars.slice(8, 4));

    JcublasBlas(CudaBackend backend, BlasMath math) {
        super(backend, math);
        try {
            JcudaNatives.cublas();
            backend.enter();
            run("cublasCreate", () -> JCublas2.cublasCreate(handle));
        } catch (RuntimeException e) {
            super.close();
            throw e;
        }
        try {
            run("cublasSetStream", () -> JCublas2.cublasSetStream(handle, new cudaStream_t(backend.compute.handle())));
            run(
                    "cublasSetWorkspace",
                    () -> JCublas2.cublasSetWorkspace(handle, Pointers.at(workspaceAddress()), workspaceBytes()));
            run("cublasSetMathMode", () -> JCublas2.cublasSetMathMode(handle, math.mode()));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private static void run(String name, Driver.Call call) {
        try {
            call.run();
        } catch (CudaException e) {
            throw failure(name, e.getMessage());
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
        scalars.putFloat(0, alpha).putFloat(8, beta);
        try {
            JCublas2.cublasGemmEx_new(
                    handle,
                    transposeA,
                    transposeB,
                    narrow(m),
                    narrow(n),
                    narrow(k),
                    alphaPointer,
                    Pointers.at(a),
                    inputType,
                    narrow(lda),
                    Pointers.at(b),
                    inputType,
                    narrow(ldb),
                    betaPointer,
                    Pointers.at(c),
                    outputType,
                    narrow(ldc),
                    computeType,
                    DEFAULT_ALGORITHM);
        } catch (CudaException e) {
            throw failure("cublasGemmEx", e.getMessage());
        }
    }

    @Override
    public String description() {
        int[] version = new int[1];
        run("cublasGetVersion", () -> JCublas2.cublasGetVersion(handle, version));
        return "cuBLAS " + version[0] / 10000 + "." + version[0] / 100 % 100 + " through JCublas";
    }

    @Override
    public void close() {
        Driver.runQuietly(() -> JCublas2.cublasDestroy(handle));
        super.close();
    }
}
