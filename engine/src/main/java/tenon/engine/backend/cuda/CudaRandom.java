package tenon.engine.backend.cuda;

import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Tensor;
import tenon.engine.backend.OpKind;
import tenon.engine.backend.RandomKernels;

/** Philox draws, by own kernels. */
final class CudaRandom implements RandomKernels {
    private final CudaBackend backend;

    CudaRandom(CudaBackend backend) {
        this.backend = backend;
    }

    boolean supports(OpKind op, DType dtype) {
        return false;
    }

    @Override
    public void dropout(Tensor input, double rate, Rng rng, Tensor output) {
        throw new UnsupportedOperationException(backend.name() + ": dropout");
    }

    @Override
    public void uniform(Tensor output, double low, double high, Rng rng) {
        throw new UnsupportedOperationException(backend.name() + ": uniform");
    }

    @Override
    public void normal(Tensor output, double mean, double standardDeviation, Rng rng) {
        throw new UnsupportedOperationException(backend.name() + ": normal");
    }
}
