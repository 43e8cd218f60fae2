package tenon.layers.blocks;

import tenon.engine.Tensor;
import tenon.engine.ops.Activation;
import tenon.engine.ops.Activations;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.InferenceChain;
import tenon.layers.Initializer;
import tenon.layers.Module;

/**
 * Residual unit of the original paper (He et al. 2015, "Deep residual learning", figures 2 and 5): input [N, H, W, C], output [N, P, Q, K] =
 * relu(bn_n(conv_n(… relu(bn1(conv1(x))))) + shortcut). The shortcut is x itself, or a 1×1 convolution of it with batch norm. Unless said
 * otherwise, convolutions have no bias and the stride is on the 3×3. Children {@code conv1}, {@code bn1}, …, {@code projection}.
 */
public final class PostActivationUnit extends Module {
    private final Conv2d[] convs;
    private final BatchNorm[] norms;
    private final ConvNorm projection;

    private PostActivationUnit(ConvChain chain, boolean projected, BatchNormSpec norm, Initializer initializer) {
        chain.checkShortcut("PostActivationUnit", projected);
        int n = chain.length();
        convs = new Conv2d[n];
        norms = new BatchNorm[n];
        for (int i = 0; i < n; i++) {
            convs[i] = child("conv" + (i + 1), chain.conv(i, initializer));
            Activation activation = i < n - 1 ? Activation.RELU : Activation.NONE;
            norms[i] = child("bn" + (i + 1), new BatchNorm(chain.channels(i + 1), norm.withActivation(activation)));
        }
        projection = projected ? child("projection", new ConvNorm(chain.projection(initializer), norm)) : null;
    }

    /** 1×1 to a quarter of the filters, 3×3 with the stride, 1×1: for deep networks. */
    public static PostActivationUnit bottleneck(
            int channels, int filters, int stride, boolean projected, BatchNormSpec norm, Initializer initializer) {
        return bottleneck(channels, filters, stride, false, false, projected, norm, initializer);
    }

    /**
     * @param stridedFirst whether the first 1×1 convolution has the stride, as in the paper, else the 3×3
     * @param bias of all convolutions
     */
    public static PostActivationUnit bottleneck(
            int channels,
            int filters,
            int stride,
            boolean stridedFirst,
            boolean bias,
            boolean projected,
            BatchNormSpec norm,
            Initializer initializer) {
        ConvChain chain = ConvChain.bottleneck(channels, filters, stride, stridedFirst, bias);
        return new PostActivationUnit(chain, projected, norm, initializer);
    }

    /** 3×3 with the stride, 3×3. */
    public static PostActivationUnit basic(
            int channels, int filters, int stride, boolean projected, BatchNormSpec norm, Initializer initializer) {
        return basic(channels, filters, stride, false, projected, norm, initializer);
    }

    /** @param bias of all convolutions */
    public static PostActivationUnit basic(
            int channels,
            int filters,
            int stride,
            boolean bias,
            boolean projected,
            BatchNormSpec norm,
            Initializer initializer) {
        return new PostActivationUnit(ConvChain.basic(channels, filters, stride, bias), projected, norm, initializer);
    }

    @Override
    protected void appendTo(InferenceChain chain) {
        InferenceChain main = InferenceChain.of();
        for (int i = 0; i < convs.length; i++) {
            main.append(convs[i]);
            main.append(norms[i]);
        }
        InferenceChain shortcut = projection == null ? InferenceChain.of() : InferenceChain.of(projection);
        chain.add(this, x -> Activations.addActivation(main.run(x), shortcut.run(x), Activation.RELU));
    }

    @Override
    protected Tensor forward(Tensor input) {
        Tensor shortcut = projection == null ? input : projection.apply(input);
        Tensor x = convs[0].apply(input);
        x = next(norms[0], x);
        int last = convs.length - 1;
        for (int i = 1; i < last; i++) {
            x = next(norms[i], next(convs[i], x));
        }
        return norms[last].applyAdding(next(convs[last], x), shortcut, Activation.RELU);
    }
}
