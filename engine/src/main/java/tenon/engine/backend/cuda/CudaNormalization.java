package tenon.engine.backend.cuda;

import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.NormalizationKernels;
import tenon.engine.backend.OpKind;
import tenon.engine.ops.BatchNormSpec;

/** Batch normalization. */
final class CudaNormalization implements NormalizationKernels {
    private final CudaBackend backend;

    CudaNormalization(CudaBackend backend) {
        this.backend = backend;
    }

    boolean supports(OpKind op, DType dtype) {
        return false;
    }

    @Override
    public void trainForward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            Tensor shortcut,
            Tensor output,
            int offset,
            Tensor batchMean,
            Tensor batchVariance) {
        throw new UnsupportedOperationException(backend.name() + ": trainForward");
    }

    @Override
    public void inferForward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            Tensor shortcut,
            Tensor output,
            int offset) {
        throw new UnsupportedOperationException(backend.name() + ": inferForward");
    }

    @Override
    public void backward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor mean,
            Tensor variance,
            boolean constantStatistics,
            Tensor output,
            Tensor gradOutput,
            int offset,
            Tensor gradInput,
            Tensor gradShortcut,
            Tensor gradGamma,
            Tensor gradBeta) {
        throw new UnsupportedOperationException(backend.name() + ": backward");
    }
}
