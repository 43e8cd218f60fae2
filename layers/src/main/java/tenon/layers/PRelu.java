package tenon.layers;

import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.ops.Activations;

/**
 * Parametric ReLU: input and output [N, …, C], parameter {@code slope} [C] for the negative side, initially 0.25 (He et al. 2015, "Delving deep
 * into rectifiers"; they use no weight decay on it).
 */
public final class PRelu extends Module {
    private final Parameter slope;

    public PRelu(int channels) {
        this(Initializer.constant(0.25).create(Shape.of(channels)));
    }

    /** Ready weights. */
    public PRelu(Tensor slope) {
        this.slope = parameter("slope", slope, false);
    }

    public Parameter slope() {
        return slope;
    }

    @Override
    protected Tensor forward(Tensor input) {
        return Activations.prelu(input, slope.value());
    }

    @Override
    protected String settings() {
        return "" + slope.value().shape().dim(0);
    }
}
