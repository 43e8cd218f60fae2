package tenon.engine.backend;

import tenon.engine.Tensor;

/** Copies between channel ranges, for concat and split along the last dimension. Outer dimensions are equal. */
public interface ChannelKernels {
    /** to[…, toOffset + i] = from[…, fromOffset + i] for i in [0, count). */
    void copy(Tensor from, int fromOffset, Tensor to, int toOffset, int count);
}
