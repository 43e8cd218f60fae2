package tenon.engine.backend;

import tenon.engine.Rng;
import tenon.engine.Tensor;

/** Kernels that consume random numbers; element i always uses draw i of the sequence, so all back-ends agree bit for bit. */
public interface RandomKernels {
    /**
     * output_i = 0 where uniform(i) &lt; rate, else input_i / (1 − rate). The backward pass is the same call on the gradient with the same
     * sequence, so no mask is stored. output may be input.
     */
    void dropout(Tensor input, double rate, Rng rng, Tensor output);

    /** Uniform in [low, high). */
    void uniform(Tensor output, double low, double high, Rng rng);

    /** Normal. */
    void normal(Tensor output, double mean, double standardDeviation, Rng rng);
}
