package tenon.layers;

import tenon.engine.Tensor;
import tenon.engine.ops.PoolSpec;
import tenon.engine.ops.Pooling;

/** Max pooling: input [N, H, W, C], output [N, P, Q, C] with P and Q as in {@link PoolSpec}. */
public final class MaxPool2d extends Module {
    private final PoolSpec spec;

    /** Square window without padding. */
    public MaxPool2d(int kernel, int stride) {
        this(PoolSpec.of(kernel, stride));
    }

    public MaxPool2d(PoolSpec spec) {
        this.spec = spec;
    }

    public PoolSpec spec() {
        return spec;
    }

    @Override
    protected Tensor forward(Tensor input) {
        return Pooling.maxPool2d(input, spec);
    }

    @Override
    protected String settings() {
        return Geometry.text(spec);
    }
}
