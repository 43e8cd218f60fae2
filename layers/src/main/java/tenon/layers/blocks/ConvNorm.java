package tenon.layers.blocks;

import tenon.engine.ops.BatchNormSpec;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Sequential;

/** Convolution → batch norm with the norm's own activation: input [N, H, W, C], output [N, P, Q, K]. Children {@code conv} and {@code bn}. */
public final class ConvNorm extends Sequential {
    public ConvNorm(Conv2d conv, BatchNormSpec norm) {
        add("conv", conv);
        add("bn", new BatchNorm(conv.weight().value().shape().dim(0), norm));
    }
}
