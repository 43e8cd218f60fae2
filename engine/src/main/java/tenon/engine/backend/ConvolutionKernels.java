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

    /** Overwrites gradWeight and, unless null, gradBias. */
    void backwardWeight(ConvSpec spec, Tensor input, Tensor gradOutput, Tensor gradWeight, Tensor gradBias);
}
