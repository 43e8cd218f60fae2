package tenon.layers;

import tenon.engine.Tensor;
import tenon.engine.ops.Pooling;

/** Mean over height and width: input [N, H, W, C], output [N, 1, 1, C]. */
public final class GlobalAvgPool2d extends Module {
    @Override
    protected Tensor forward(Tensor input) {
        return Pooling.globalAvgPool2d(input);
    }
}
