package tenon.layers;

import tenon.engine.Tensor;

/** Inverted dropout: input and output of any one shape; the identity in evaluation mode. */
public final class Dropout extends Module {
    private final double rate;

    /** @param rate probability that an element vanishes, in [0, 1) */
    public Dropout(double rate) {
        if (!(rate >= 0 && rate < 1)) {
            throw new IllegalArgumentException("Dropout: rate must lie in [0, 1): rate=" + rate);
        }
        this.rate = rate;
    }

    public double rate() {
        return rate;
    }

    /** Nothing: the identity. */
    @Override
    protected void appendTo(InferenceChain chain) {}

    @Override
    protected Tensor forward(Tensor input) {
        return isTraining() ? tenon.engine.ops.Dropout.dropout(input, rate) : input;
    }

    @Override
    protected String settings() {
        return "rate=" + rate;
    }
}
