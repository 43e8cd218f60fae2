package tenon.engine.backend.cuda;

import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.ConvolutionKernels;
import tenon.engine.backend.OpKind;
import tenon.engine.ops.Activation;
import tenon.engine.ops.ConvSpec;

/** Convolutions, by cuDNN. */
final class CudaConvolution implements ConvolutionKernels {
    private final CudaBackend backend;

    CudaConvolution(CudaBackend backend) {
        this.backend = backend;
    }

    boolean supports(OpKind op, DType dtype) {
        return false;
    }

    @Override
    public void forward(ConvSpec spec, Tensor input, Tensor weight, Tensor bias, Activation activation, Tensor output) {
        throw new UnsupportedOperationException(backend.name() + ": forward");
    }

    @Override
    public void backwardInput(ConvSpec spec, Tensor gradOutput, Tensor weight, Tensor gradInput) {
        throw new UnsupportedOperationException(backend.name() + ": backwardInput");
    }

    @Override
    public void backwardWeight(ConvSpec spec, Tensor input, Tensor gradOutput, Tensor gradWeight, Tensor gradBias) {
        throw new UnsupportedOperationException(backend.name() + ": backwardWeight");
    }
}
