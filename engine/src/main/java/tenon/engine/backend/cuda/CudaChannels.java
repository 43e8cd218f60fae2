package tenon.engine.backend.cuda;

import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.ChannelKernels;
import tenon.engine.backend.OpKind;
import tenon.engine.ops.Activation;

/** Copies between channel ranges, by own kernels. */
final class CudaChannels implements ChannelKernels {
    private final CudaBackend backend;

    CudaChannels(CudaBackend backend) {
        this.backend = backend;
    }

    boolean supports(OpKind op, DType dtype) {
        return false;
    }

    @Override
    public void copy(Tensor from, int fromOffset, Tensor to, int toOffset, int count) {
        throw new UnsupportedOperationException(backend.name() + ": copy");
    }

    @Override
    public void activate(Activation activation, Tensor from, Tensor to, int toOffset) {
        throw new UnsupportedOperationException(backend.name() + ": activate");
    }

    @Override
    public void activateBackward(
            Activation activation, Tensor output, Tensor gradOutput, int offset, Tensor gradInput) {
        throw new UnsupportedOperationException(backend.name() + ": activateBackward");
    }
}
