package tenon.engine.backend.cuda;

import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.ActivationKernels;
import tenon.engine.backend.OpKind;
import tenon.engine.ops.Activation;

/** Activations, by own kernels. */
final class CudaActivation implements ActivationKernels {
    private final CudaBackend backend;

    CudaActivation(CudaBackend backend) {
        this.backend = backend;
    }

    boolean supports(OpKind op, DType dtype) {
        return false;
    }

    @Override
    public void forward(Activation activation, Tensor input, Tensor output) {
        throw new UnsupportedOperationException(backend.name() + ": forward");
    }

    @Override
    public void backward(Activation activation, Tensor output, Tensor gradOutput, Tensor gradInput) {
        throw new UnsupportedOperationException(backend.name() + ": backward");
    }

    @Override
    public void preluForward(Tensor input, Tensor slope, Tensor output) {
        throw new UnsupportedOperationException(backend.name() + ": preluForward");
    }

    @Override
    public void preluBackward(Tensor input, Tensor slope, Tensor gradOutput, Tensor gradInput, Tensor gradSlope) {
        throw new UnsupportedOperationException(backend.name() + ": preluBackward");
    }

    @Override
    public void addForward(Activation activation, Tensor a, Tensor b, Tensor output) {
        throw new UnsupportedOperationException(backend.name() + ": addForward");
    }
}
