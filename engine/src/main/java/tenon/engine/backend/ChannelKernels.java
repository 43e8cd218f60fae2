package tenon.engine.backend;

import tenon.engine.Tensor;
import tenon.engine.ops.Activation;

/** Copies between channel ranges, for concat and split along the last dimension. Outer dimensions and dtypes are equal. */
public interface ChannelKernels {
    /** to[…, toOffset + i] = from[…, fromOffset + i] for i in [0, count). */
    void copy(Tensor from, int fromOffset, Tensor to, int toOffset, int count);

    /** to[…, toOffset + i] = activation(from[0][…, i]) for all channels of the tensor, then those of the next one; NaN gives NaN. */
    void activate(Activation activation, Tensor[] from, Tensor to, int toOffset);

    /**
     * Gradients of {@link #activate} from its result: gradInput[0][…, i] = gradOutput[…, offset + i] · the derivative at output[…, offset + i], and so
     * on.
     *
     * @param output the whole tensor that a range of was written; null where the activation is NONE, which does not need it
     */
    void activateBackward(Activation activation, Tensor output, Tensor gradOutput, int offset, Tensor[] gradInput);
}
