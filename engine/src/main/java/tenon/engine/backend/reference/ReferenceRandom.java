package tenon.engine.backend.reference;

import tenon.engine.Rng;
import tenon.engine.Tensor;
import tenon.engine.backend.RandomKernels;

final class ReferenceRandom implements RandomKernels {
    @Override
    public void dropout(Tensor input, double rate, Rng rng, Tensor output) {
        Elements x = Elements.of(input);
        Elements y = Elements.of(output);
        for (long i = 0; i < output.elementCount(); i++) {
            y.set(i, rng.uniform(i) < rate ? 0 : x.get(i) / (1 - rate));
        }
    }

    @Override
    public void uniform(Tensor output, double low, double high, Rng rng) {
        Elements y = Elements.of(output);
        for (long i = 0; i < output.elementCount(); i++) {
            y.set(i, low + (high - low) * rng.uniform(i));
        }
    }

    @Override
    public void normal(Tensor output, double mean, double standardDeviation, Rng rng) {
        Elements y = Elements.of(output);
        for (long i = 0; i < output.elementCount(); i++) {
            y.set(i, mean + standardDeviation * rng.gaussian(i));
        }
    }
}
