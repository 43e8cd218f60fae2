package tenon.engine.backend.cuda;

import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.MetricKernels;
import tenon.engine.backend.OpKind;

/** Reductions of reports, by own kernels. */
final class CudaMetrics implements MetricKernels {
    private final CudaBackend backend;

    CudaMetrics(CudaBackend backend) {
        this.backend = backend;
    }

    boolean supports(OpKind op, DType dtype) {
        return false;
    }

    @Override
    public void topK(Tensor input, int k, Tensor output) {
        throw new UnsupportedOperationException(backend.name() + ": topK");
    }
}
