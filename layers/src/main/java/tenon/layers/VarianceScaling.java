package tenon.layers;

import tenon.engine.Rng;
import tenon.engine.Tensor;

/**
 * Variance magnitude / fan: normal with standard deviation sqrt(magnitude / fan), or uniform in ±sqrt(3·magnitude / fan), which has the same
 * variance. (MXNet's {@code Xavier} with {@code rnd_type="uniform"} leaves the 3 to the magnitude: its 3 is 1 here.) A truncated normal is cut at
 * two standard deviations and not widened again, so its variance is 0.774 times that.
 */
public record VarianceScaling(double magnitude, Mode mode, Distribution distribution) implements Initializer {
    public enum Mode {
        IN,
        OUT,
        /** (fanIn + fanOut) / 2. */
        AVERAGE
    }

    public enum Distribution {
        UNIFORM,
        NORMAL,
        TRUNCATED_NORMAL
    }

    public VarianceScaling {
        if (!(magnitude > 0)) {
            throw new IllegalArgumentException("variance scaling: magnitude must be positive: magnitude=" + magnitude);
        }
    }

    /** sqrt(magnitude / fan). */
    public double standardDeviation(Fan fan) {
        double connections = switch (mode) {
            case IN -> fan.in();
            case OUT -> fan.out();
            case AVERAGE -> (fan.in() + fan.out()) / 2.0;
        };
        return Math.sqrt(magnitude / connections);
    }

    @Override
    public void fill(Tensor weight, Rng rng) {
        double deviation = standardDeviation(Fan.of(weight.shape()));
        Initializer initializer = switch (distribution) {
            case UNIFORM -> Initializer.uniform(Math.sqrt(3) * deviation);
            case NORMAL -> Initializer.normal(deviation);
            case TRUNCATED_NORMAL -> Initializer.truncatedNormal(deviation);
        };
        initializer.fill(weight, rng);
    }
}
