package tenon.layers.blocks;

import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.ActivationLayer;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Sequential;

/**
 * Convolution → batch norm → activation: input [N, H, W, C], output [N, P, Q, K]. Children {@code conv} and {@code bn}, and {@code act} for an
 * activation that batch norm cannot do in its own pass.
 */
public final class ConvNorm extends Sequential {
    /** The activation is the norm's own. */
    public ConvNorm(Conv2d conv, BatchNormSpec norm) {
        add("conv", conv);
        add("bn", new BatchNorm(conv.weight().value().shape().dim(0), norm));
    }

    /** @param norm without activation */
    public ConvNorm(Conv2d conv, BatchNormSpec norm, Activation activation) {
        this(conv, BatchNormSpec.canFuse(activation) ? norm.withActivation(activation) : norm);
        if (!BatchNormSpec.canFuse(activation)) {
            add("act", new ActivationLayer(activation));
        }
    }
}
