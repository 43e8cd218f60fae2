package tenon.engine.backend.cuda;

import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.OpKind;

/** General matrix products, by cuBLAS. */
final class CudaGemm {
    private final CudaBackend backend;

    CudaGemm(CudaBackend backend) {
        this.backend = backend;
    }

    boolean supports(OpKind op, DType dtype) {
        return dtype == DType.F32 || dtype == DType.BF16;
    }

    void run(boolean transposeA, boolean transposeB, double alpha, Tensor a, Tensor b, double beta, Tensor c) {
        backend.checkDType("gemm", a, b, c);
        if (c.elementCount() == 0) {
            return;
        }
        if (a.elementCount() == 0) {
            if (beta == 0) {
                backend.fill(c, 0);
            } else {
                backend.scale(c, beta, c);
            }
            return;
        }
        synchronized (backend.lock) {
            backend.enter();
            backend.blas()
                    .gemm(
                            transposeA,
                            transposeB,
                            c.shape().dim(0),
                            c.shape().dim(1),
                            a.shape().dim(transposeA ? 0 : 1),
                            (float) alpha,
                            a.address(),
                            b.address(),
                            a.dtype(),
                            (float) beta,
                            c.address(),
                            c.dtype());
        }
    }
}
