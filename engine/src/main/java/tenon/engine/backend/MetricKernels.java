package tenon.engine.backend;

import tenon.engine.Tensor;

/** Reductions that only reports need; no gradients. */
public interface MetricKernels {
    /**
     * Indices of the k largest per row, largest first, the lower index first among equals; NaN counts as largest.
     *
     * @param input [N, C] floating
     * @param output I32 [N, k]
     */
    void topK(Tensor input, int k, Tensor output);
}
