package tenon.engine.backend.cuda;

import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.DenseKernels;
import tenon.engine.backend.OpKind;
import tenon.engine.ops.Activation;

/** Fully connected layers, by cuBLAS. */
final class CudaDense implements DenseKernels {
    private final CudaBackend backend;

    CudaDense(CudaBackend backend) {
        this.backend = backend;
    }

    boolean supports(OpKind op, DType dtype) {
        return false;
    }

    @Override
    public void forward(Tensor input, Tensor weight, Tensor bias, Activation activation, Tensor output) {
        throw new UnsupportedOperationException(backend.name() + ": forward");
    }

    @Override
    public void backwardInput(Tensor gradOutput, Tensor weight, Tensor gradInput) {
        throw new UnsupportedOperationException(backend.name() + ": backwardInput");
    }

    @Override
    public void backwardWeight(Tensor input, Tensor gradOutput, Tensor gradWeight, Tensor gradBias) {
        throw new UnsupportedOperationException(backend.name() + ": backwardWeight");
    }
}
