package tenon.engine.backend;

import tenon.engine.Tensor;
import tenon.engine.ops.Activation;

/**
 * Elementwise activations over tensors of any shape, F32 or BF16 (and F64 on the reference back-end); slopes and their gradients are F32 for BF16 inputs. gradInput may be
 * gradOutput.
 */
public interface ActivationKernels {
    void forward(Activation activation, Tensor input, Tensor output);

    /** gradInput from the forward <em>output</em> (all activations of {@link Activation} allow that; alpha must be at least 0); gradInput may be gradOutput. */
    void backward(Activation activation, Tensor output, Tensor gradOutput, Tensor gradInput);

    /** output = x for x &gt; 0, slope_c·x otherwise; slope is [C], input [N, …, C] (He et al. 2015, "Delving deep into rectifiers", eq. 1). */
    void preluForward(Tensor input, Tensor slope, Tensor output);

    /** Overwrites gradInput and gradSlope; either may be null. */
    void preluBackward(Tensor input, Tensor slope, Tensor gradOutput, Tensor gradInput, Tensor gradSlope);

    /** output = activation(a + b), equal shapes. */
    void addForward(Activation activation, Tensor a, Tensor b, Tensor output);
}
