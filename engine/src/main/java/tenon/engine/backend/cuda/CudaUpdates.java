package tenon.engine.backend.cuda;

import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.OpKind;
import tenon.engine.backend.UpdateKernels;

/** Optimizer updates, by own kernels. */
final class CudaUpdates implements UpdateKernels {
    private final CudaBackend backend;

    CudaUpdates(CudaBackend backend) {
        this.backend = backend;
    }

    boolean supports(OpKind op, DType dtype) {
        return false;
    }

    @Override
    public void sgd(
            Tensor[] weight,
            Tensor[] grad,
            Tensor[] velocity,
            float rate,
            float momentum,
            boolean nesterov,
            float rescale,
            float[] weightDecay,
            float[] rateScale) {
        throw new UnsupportedOperationException(backend.name() + ": sgd");
    }

    @Override
    public void adam(
            Tensor[] weight,
            Tensor[] grad,
            Tensor[] firstMoment,
            Tensor[] secondMoment,
            float rate,
            float beta1,
            float beta2,
            float epsilon,
            int t,
            boolean decoupled,
            float rescale,
            float[] weightDecay,
            float[] rateScale) {
        throw new UnsupportedOperationException(backend.name() + ": adam");
    }

    @Override
    public void rmsprop(
            Tensor[] weight,
            Tensor[] grad,
            Tensor[] squareAverage,
            Tensor[] buffer,
            float rate,
            float decay,
            float epsilon,
            float momentum,
            float rescale,
            float[] weightDecay,
            float[] rateScale) {
        throw new UnsupportedOperationException(backend.name() + ": rmsprop");
    }

    @Override
    public double sumOfSquares(Tensor[] tensors) {
        throw new UnsupportedOperationException(backend.name() + ": sumOfSquares");
    }
}
