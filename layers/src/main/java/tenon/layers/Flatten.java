package tenon.layers;

import tenon.engine.Tensor;

/** Input [N, …], output [N, product of the rest]: a view; an image flattens in the order row, column, channel. */
public final class Flatten extends Module {
    @Override
    protected Tensor forward(Tensor input) {
        return tenon.engine.ops.Reshape.flatten(input);
    }
}
