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
        return false;
    }

    void run(boolean transposeA, boolean transposeB, double alpha, Tensor a, Tensor b, double beta, Tensor c) {
        throw new UnsupportedOperationException(backend.name() + ": run");
    }
}
