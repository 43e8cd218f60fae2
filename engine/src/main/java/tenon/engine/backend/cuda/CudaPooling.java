package tenon.engine.backend.cuda;

import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.OpKind;
import tenon.engine.backend.PoolingKernels;
import tenon.engine.ops.PoolSpec;

/** Pooling. */
final class CudaPooling implements PoolingKernels {
    private final CudaBackend backend;

    CudaPooling(CudaBackend backend) {
        this.backend = backend;
    }

    boolean supports(OpKind op, DType dtype) {
        return false;
    }

    @Override
    public DType workspaceType() {
        throw new UnsupportedOperationException(backend.name() + ": workspaceType");
    }

    @Override
    public Shape workspaceShape(PoolSpec spec, Shape input, Shape output) {
        throw new UnsupportedOperationException(backend.name() + ": workspaceShape");
    }

    @Override
    public void maxForward(PoolSpec spec, Tensor input, Tensor output, Tensor workspace) {
        throw new UnsupportedOperationException(backend.name() + ": maxForward");
    }

    @Override
    public void maxBackward(PoolSpec spec, Tensor gradOutput, Tensor workspace, Tensor gradInput) {
        throw new UnsupportedOperationException(backend.name() + ": maxBackward");
    }

    @Override
    public void averageForward(PoolSpec spec, Tensor input, Tensor output) {
        throw new UnsupportedOperationException(backend.name() + ": averageForward");
    }

    @Override
    public void averageBackward(PoolSpec spec, Tensor gradOutput, Tensor gradInput) {
        throw new UnsupportedOperationException(backend.name() + ": averageBackward");
    }
}
