package tenon.layers.blocks;

import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.Initializer;
import tenon.layers.Sequential;

/**
 * Depthwise separable convolution (Howard et al. 2017, "MobileNets", section 3.1 and figure 3): input [N, H, W, C], output [N, ⌈H / stride⌉,
 * ⌈W / stride⌉, filters]. One 3×3 filter per channel, with the stride; then a 1×1 convolution; neither has a bias, and each is followed by batch norm
 * and the activation. Children {@code depthwise} and {@code pointwise}.
 */
public final class DepthwiseSeparable extends Sequential {
    /**
     * @param samePadding TensorFlow's "same", which pads an even size only at the bottom and right when the stride is 2; else 1 on all four sides
     * @param norm without activation
     */
    public DepthwiseSeparable(
            int channels,
            int filters,
            int stride,
            boolean samePadding,
            Activation activation,
            BatchNormSpec norm,
            Initializer initializer) {
        add("depthwise", Depthwise.filter(channels, stride, samePadding, activation, norm, initializer));
        add("pointwise", Depthwise.pointwise(channels, filters, activation, norm, initializer));
    }
}
