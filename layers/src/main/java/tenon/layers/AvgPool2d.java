package tenon.layers;

import tenon.engine.Tensor;
import tenon.engine.ops.PoolSpec;
import tenon.engine.ops.Pooling;

/** Average pooling: input [N, H, W, C], output [N, P, Q, C] with P and Q as in {@link PoolSpec}. */
public final class AvgPool2d extends Module {
    private final PoolSpec spec;

    /** Square window without padding. */
    public AvgPool2d(int kernel, int stride) {
        this(PoolSpec.of(kernel, stride));
    }

    public AvgPool2d(PoolSpec spec) {
        this.spec = spec;
    }

    public PoolSpec spec() {
        return spec;
    }

    @Override
    protected Tensor forward(Tensor input) {
        return Pooling.avgPool2d(input, spec);
    }

    @Override
    protected String settings() {
        return Geometry.text(spec) + (spec.countPadding() ? ", padding counted" : "");
    }
}
