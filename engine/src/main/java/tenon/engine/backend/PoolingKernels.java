package tenon.engine.backend;

import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.ops.PoolSpec;

/** 2-D pooling: input [N, H, W, C], output [N, P, Q, C]. */
public interface PoolingKernels {
    /** DType of the workspace that max pooling keeps for its backward pass; its shape is {@link #workspaceShape}. */
    DType workspaceType();

    /** Shape of max pooling's workspace. */
    Shape workspaceShape(PoolSpec spec, Shape input, Shape output);

    /**
     * @param workspace remembers which element won (the first of equals in row-major order), or null in inference
     */
    void maxForward(PoolSpec spec, Tensor input, Tensor output, Tensor workspace);

    /** Overwrites gradInput: each output gradient goes to the element that won. */
    void maxBackward(PoolSpec spec, Tensor gradOutput, Tensor workspace, Tensor gradInput);

    void averageForward(PoolSpec spec, Tensor input, Tensor output);

    /** Overwrites gradInput. */
    void averageBackward(PoolSpec spec, Tensor gradOutput, Tensor gradInput);
}
