package tenon.engine.data;

import tenon.engine.Tensor;

/**
 * One batch on its way into a network. The tensors belong to the iterator that made them and stay valid until its next call.
 *
 * @param input [N, H, W, C] or [N, features]
 * @param target class indices I32 [N], or whatever the loss takes
 * @param keys sample numbers in the data set, for reports; length N
 */
public record Batch(Tensor input, Tensor target, long[] keys) {
    public int size() {
        return input.shape().dim(0);
    }
}
