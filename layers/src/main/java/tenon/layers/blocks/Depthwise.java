package tenon.layers.blocks;

import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.Conv2d;
import tenon.layers.Initializer;

/** The two convolutions that MobileNets are made of, without bias and each with batch norm. */
final class Depthwise {
    private Depthwise() {}

    /** One 3×3 filter per channel. */
    static ConvNorm filter(
            int channels,
            int stride,
            boolean samePadding,
            Activation activation,
            BatchNormSpec norm,
            Initializer initializer) {
        Conv2d.Builder conv = Conv2d.builder(channels, channels, 3)
                .stride(stride)
                .groups(channels)
                .bias(false)
                .initializer(initializer);
        return new ConvNorm((samePadding ? conv.samePadding() : conv.padding(1)).build(), norm, activation);
    }

    /** 1×1. */
    static ConvNorm pointwise(
            int channels, int filters, Activation activation, BatchNormSpec norm, Initializer initializer) {
        Conv2d.Builder conv = Conv2d.builder(channels, filters, 1).bias(false).initializer(initializer);
        return new ConvNorm(conv.build(), norm, activation);
    }
}
