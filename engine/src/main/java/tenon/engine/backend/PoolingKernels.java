package tenon.engine.backend;

import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.ops.PoolSpec;

/** 2-D pooling: input [N, H, W, C], output [N, P, Q, C]. */
public interface PoolingKernels {
    /**
     * Whether max pooling's backward pass is to have input and output, by {@link #maxBackward(PoolSpec, Tensor, Tensor, Tensor, Tensor)}, and no workspace. Asked in training before
     * {@link #maxForward}, with its operands; output may be overwritten.
     */
    @Question
    default boolean readsOperands(PoolSpec spec, Tensor input, Tensor output) {
        return false;
    }

    /** DType of the workspace that max pooling keeps for its backward pass; its shape is {@link #workspaceShape}. */
    DType workspaceType();

    /** Shape of max pooling's workspace. */
    Shape workspaceShape(PoolSpec spec, Shape input, Shape output);

    /**
     * @param workspace remembers which element won (the first of equals in row-major order), or null in inference and where the operands are kept instead
     */
    void maxForward(PoolSpec spec, Tensor input, Tensor output, Tensor workspace);

    /** Overwrites gradInput: each output gradient goes to the element that won. */
    void maxBackward(PoolSpec spec, Tensor gradOutput, Tensor workspace, Tensor gradInput);

    /** The same from the operands, where {@link #readsOperands} said so. */
    default void maxBackward(PoolSpec spec, Tensor input, Tensor output, Tensor gradOutput, Tensor gradInput) {
        throw new UnsupportedOperationException("max_pool2d: the back-end keeps a workspace");
    }

    void averageForward(PoolSpec spec, Tensor input, Tensor output);

    /** Overwrites gradInput. */
    void averageBackward(PoolSpec spec, Tensor gradOutput, Tensor gradInput);
}
