package tenon.layers.blocks;

import tenon.engine.Tensor;
import tenon.engine.ops.BatchNormSpec;
import tenon.engine.ops.Channels;
import tenon.engine.ops.ConcatBranch;
import tenon.engine.ops.PoolSpec;
import tenon.layers.Conv2d;
import tenon.layers.InferenceChain;
import tenon.layers.Initializer;
import tenon.layers.MaxPool2d;
import tenon.layers.Module;

/**
 * Inception module with dimension reduction (Szegedy et al. 2014, "Going deeper with convolutions", figure 2b): input [N, H, W, C], output
 * [N, H, W, conv1x1 + conv3x3 + conv5x5 + projection], the channels in this order. Branches: 1×1; 1×1 reduction → 3×3; 1×1 reduction → 5×5; max
 * pool 3×3 stride 1 → 1×1 projection. Each convolution has a bias and is followed by batch norm.
 */
public final class Inception extends Module {
    /** Filters of the convolutions, in the order of the paper's table 1. */
    public record Filters(int conv1x1, int reduce3x3, int conv3x3, int reduce5x5, int conv5x5, int projection) {
        public int output() {
            return conv1x1 + conv3x3 + conv5x5 + projection;
        }
    }

    private final ConvNorm conv1x1;
    private final ConvNorm reduce3x3;
    private final ConvNorm conv3x3;
    private final ConvNorm reduce5x5;
    private final ConvNorm conv5x5;
    private final MaxPool2d pool;
    private final ConvNorm projection;

    /** @param norm with the activation that follows it */
    public Inception(int channels, Filters filters, BatchNormSpec norm, Initializer initializer) {
        conv1x1 = child("conv1x1", conv(channels, filters.conv1x1, 1, norm, initializer));
        reduce3x3 = child("reduce3x3", conv(channels, filters.reduce3x3, 1, norm, initializer));
        conv3x3 = child("conv3x3", conv(filters.reduce3x3, filters.conv3x3, 3, norm, initializer));
        reduce5x5 = child("reduce5x5", conv(channels, filters.reduce5x5, 1, norm, initializer));
        conv5x5 = child("conv5x5", conv(filters.reduce5x5, filters.conv5x5, 5, norm, initializer));
        pool = child("pool", new MaxPool2d(PoolSpec.of(3, 1, 1)));
        projection = child("projection", conv(channels, filters.projection, 1, norm, initializer));
    }

    private static ConvNorm conv(int in, int out, int kernel, BatchNormSpec norm, Initializer initializer) {
        return new ConvNorm(
                Conv2d.builder(in, out, kernel)
                        .padding(kernel / 2)
                        .initializer(initializer)
                        .build(),
                norm);
    }

    @Override
    protected void appendTo(InferenceChain chain) {
        InferenceChain branch1 = InferenceChain.of(conv1x1);
        InferenceChain branch2 = InferenceChain.of(reduce3x3, conv3x3);
        InferenceChain branch3 = InferenceChain.of(reduce5x5, conv5x5);
        InferenceChain branch4 = InferenceChain.of(pool, projection);
        chain.add(this, x -> Channels.concat(branch1.run(x), branch2.run(x), branch3.run(x), branch4.run(x)));
    }

    @Override
    protected Tensor forward(Tensor input) {
        return Channels.join(
                conv1x1.applyAsBranch(input),
                end(conv3x3, reduce3x3.apply(input)),
                end(conv5x5, reduce5x5.apply(input)),
                end(projection, pool.apply(input)));
    }

    /** The intermediate result {@code x} is used no more. */
    private static ConcatBranch end(ConvNorm last, Tensor x) {
        ConcatBranch branch = last.applyAsBranch(x);
        x.close();
        return branch;
    }
}
