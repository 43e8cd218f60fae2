package tenon.layers.blocks;

import tenon.engine.Tensor;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.engine.ops.Channels;
import tenon.layers.Conv2d;
import tenon.layers.InferenceChain;
import tenon.layers.Initializer;
import tenon.layers.Module;

/**
 * Fire module (Iandola et al. 2016, "SqueezeNet", section 3.2): 1×1 convolution to {@code squeeze} channels, then 1×1 and 3×3 convolutions of it
 * with {@code expand} filters each, joined in this order. Input [N, H, W, C], output [N, H, W, 2·expand]. Each convolution has a bias and is followed by
 * the activation and, on request, by batch norm.
 */
public final class Fire extends Module {
    private final Module squeeze;
    private final Module expand1x1;
    private final Module expand3x3;

    /** @param norm null for none */
    public Fire(
            int channels, int squeeze, int expand, Activation activation, BatchNormSpec norm, Initializer initializer) {
        this.squeeze = child("squeeze", conv(channels, squeeze, 1, activation, norm, initializer));
        expand1x1 = child("expand1x1", conv(squeeze, expand, 1, activation, norm, initializer));
        expand3x3 = child("expand3x3", conv(squeeze, expand, 3, activation, norm, initializer));
    }

    private static Module conv(
            int in, int out, int kernel, Activation activation, BatchNormSpec norm, Initializer initializer) {
        Conv2d conv = Conv2d.builder(in, out, kernel)
                .padding(kernel / 2)
                .initializer(initializer)
                .activation(activation)
                .build();
        return norm == null ? conv : new ConvNorm(conv, norm);
    }

    @Override
    protected void appendTo(InferenceChain chain) {
        chain.append(squeeze);
        InferenceChain branch1 = InferenceChain.of(expand1x1);
        InferenceChain branch2 = InferenceChain.of(expand3x3);
        chain.add(this, x -> Channels.concat(branch1.run(x), branch2.run(x)));
    }

    @Override
    protected Tensor forward(Tensor input) {
        Tensor squeezed = squeeze.apply(input);
        return Channels.join(expand1x1.applyAsBranch(squeezed), expand3x3.applyAsBranch(squeezed));
    }
}
