package tenon.engine.backend;

import tenon.engine.Tensor;
import tenon.engine.ops.Activation;
import tenon.engine.ops.ConvSpec;

/** 2-D convolution: input [N, H, W, C], weight [K, R, S, C / groups], bias [K] or null, output [N, P, Q, K]. */
public interface ConvolutionKernels {
    /** output = activation(convolution + bias), rounded once. */
    void forward(ConvSpec spec, Tensor input, Tensor weight, Tensor bias, Activation activation, Tensor output);

    /** Overwrites gradInput. */
    void backwardInput(ConvSpec spec, Tensor gradOutput, Tensor weight, Tensor gradInput);

    /**
     * Adds to gradInput what {@link #backwardInput} would write, in one pass.
     *
     * @return false, and nothing was done, where the back-end has no such kernel for these sizes
     */
    default boolean accumulateInput(ConvSpec spec, Tensor gradOutput, Tensor weight, Tensor gradInput) {
        return false;
    }

    /** Overwrites gradWeight and, unless null, gradBias. */
    void backwardWeight(ConvSpec spec, Tensor input, Tensor gradOutput, Tensor gradWeight, Tensor gradBias);
}
