package tenon.layers;

import tenon.engine.Tensor;
import tenon.engine.ops.Losses;

/** Softmax over the last dimension: input and output [N, C]. Networks end in logits; their loss contains the softmax, this is for inference. */
public final class Softmax extends Module {
    @Override
    protected Tensor forward(Tensor input) {
        return Losses.softmax(input);
    }
}
