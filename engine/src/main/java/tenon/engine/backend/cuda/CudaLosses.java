package tenon.engine.backend.cuda;

import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.LossKernels;
import tenon.engine.backend.OpKind;

/** Softmax and the losses, by own kernels. */
final class CudaLosses implements LossKernels {
    private final CudaBackend backend;

    CudaLosses(CudaBackend backend) {
        this.backend = backend;
    }

    boolean supports(OpKind op, DType dtype) {
        return false;
    }

    @Override
    public void softmaxForward(Tensor input, Tensor output) {
        throw new UnsupportedOperationException(backend.name() + ": softmaxForward");
    }

    @Override
    public void softmaxBackward(Tensor output, Tensor gradOutput, Tensor gradInput) {
        throw new UnsupportedOperationException(backend.name() + ": softmaxBackward");
    }

    @Override
    public void softmaxCrossEntropyForward(
            Tensor logits, Tensor target, double smoothing, Tensor loss, Tensor probabilities) {
        throw new UnsupportedOperationException(backend.name() + ": softmaxCrossEntropyForward");
    }

    @Override
    public void softmaxCrossEntropyBackward(
            Tensor probabilities, Tensor target, double smoothing, Tensor gradLoss, Tensor gradLogits) {
        throw new UnsupportedOperationException(backend.name() + ": softmaxCrossEntropyBackward");
    }

    @Override
    public void sigmoidCrossEntropyForward(Tensor logits, Tensor target, Tensor loss) {
        throw new UnsupportedOperationException(backend.name() + ": sigmoidCrossEntropyForward");
    }

    @Override
    public void sigmoidCrossEntropyBackward(Tensor logits, Tensor target, Tensor gradLoss, Tensor gradLogits) {
        throw new UnsupportedOperationException(backend.name() + ": sigmoidCrossEntropyBackward");
    }

    @Override
    public void meanSquaredErrorForward(Tensor input, Tensor target, Tensor loss) {
        throw new UnsupportedOperationException(backend.name() + ": meanSquaredErrorForward");
    }

    @Override
    public void meanSquaredErrorBackward(Tensor input, Tensor target, Tensor gradLoss, Tensor gradInput) {
        throw new UnsupportedOperationException(backend.name() + ": meanSquaredErrorBackward");
    }

    @Override
    public long findBadIndex(Tensor indices, int classes) {
        throw new UnsupportedOperationException(backend.name() + ": findBadIndex");
    }
}
