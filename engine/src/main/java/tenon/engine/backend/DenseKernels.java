package tenon.engine.backend;

import tenon.engine.Tensor;
import tenon.engine.ops.Activation;

/** Fully connected layers: input [N, I], weight [O, I], bias [O] or null, output [N, O]. */
public interface DenseKernels {
    /** output = activation(input·weightᵀ + bias), rounded once. */
    void forward(Tensor input, Tensor weight, Tensor bias, Activation activation, Tensor output);

    /** gradInput = gradOutput·weight, overwritten. */
    void backwardInput(Tensor gradOutput, Tensor weight, Tensor gradInput);

    /** gradWeight = gradOutputᵀ·input and gradBias = column sums of gradOutput (null: not wanted), overwritten. */
    void backwardWeight(Tensor input, Tensor gradOutput, Tensor gradWeight, Tensor gradBias);
}
