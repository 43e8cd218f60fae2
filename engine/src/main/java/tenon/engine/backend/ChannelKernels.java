package tenon.engine.backend;

import tenon.engine.Tensor;
import tenon.engine.ops.Activation;

/** Copies between channel ranges, for concat and split along the last dimension. Outer dimensions and dtypes are equal. */
public interface ChannelKernels {
    /** to[…, toOffset + i] = from[…, fromOffset + i] for i in [0, count). */
    void copy(Tensor from, int fromOffset, Tensor to, int toOffset, int count);

    /** to[…, toOffset + i] = activation(from[…, i]) for all channels of {@code from}; NaN gives NaN. */
    void activate(Activation activation, Tensor from, Tensor to, int toOffset);

    /**
     * Gradient of {@link #activate} from its result: gradInput[…, i] = gradOutput[…, offset + i] · the derivative at output[…, offset + i].
     *
     * @param output the whole tensor that a range of was written
     */
    void activateBackward(Activation activation, Tensor output, Tensor gradOutput, int offset, Tensor gradInput);
}
