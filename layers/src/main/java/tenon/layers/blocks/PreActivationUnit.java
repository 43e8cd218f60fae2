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
 * Residual unit whose convolutions come after batch norm and ReLU (He et al. 2016, "Identity mappings in deep residual networks", figure 4e):
 * input [N, H, W, C], output [N, P, Q, K] = conv_n(relu(bn_n(… conv1(relu(bn1(x)))))) + shortcut, nothing after the sum. The shortcut is x itself, or a
 * 1×1 convolution of relu(bn1(x)). Convolutions have no bias. Children {@code bn1}, {@code conv1}, …, {@code projection}.
 */
public final class PreActivationUnit extends Module {
    private final BatchNorm[] norms;
    private final Conv2d[] convs;
    private final Conv2d projection;

    private PreActivationUnit(ConvChain chain, boolean projected, BatchNormSpec norm, Initializer initializer) {
        chain.checkShortcut("PreActivationUnit", projected);
        int n = chain.length();
        norms = new BatchNorm[n];
        convs = new Conv2d[n];
        for (int i = 0; i < n; i++) {
            norms[i] = child("bn" + (i + 1), new BatchNorm(chain.channels(i), norm.withActivation(Activation.RELU)));
            convs[i] = child("conv" + (i + 1), chain.conv(i, initializer));
        }
        projection = projected ? child("projection", chain.projection(initializer)) : null;
    }

    /** 1×1 to a quarter of the filters, 3×3 with the stride, 1×1: for deep networks. */
    public static PreActivationUnit bottleneck(
            int channels, int filters, int stride, boolean projected, BatchNormSpec norm, Initializer initializer) {
        return new PreActivationUnit(
                ConvChain.bottleneck(channels, filters, stride, false, false), projected, norm, initializer);
    }

    /** 3×3 with the stride, 3×3. */
    public static PreActivationUnit basic(
            int channels, int filters, int stride, boolean projected, BatchNormSpec norm, Initializer initializer) {
        return new PreActivationUnit(ConvChain.basic(channels, filters, stride, false), projected, norm, initializer);
    }

    @Override
    protected void appendTo(InferenceChain chain) {
        InferenceChain first = InferenceChain.of(norms[0]);
        InferenceChain main = InferenceChain.of(convs[0]);
        for (int i = 1; i < convs.length; i++) {
            main.append(norms[i]);
            main.append(convs[i]);
        }
        InferenceChain project = projection == null ? null : InferenceChain.of(projection);
        chain.add(this, x -> {
            Tensor activated = first.run(x);
            Tensor shortcut = project == null ? x : project.run(activated);
            return Activations.addActivation(main.consume(activated), shortcut, Activation.NONE);
        });
    }

    @Override
    protected Tensor forward(Tensor input) {
        Tensor x = norms[0].apply(input);
        Tensor shortcut = projection == null ? input : projection.apply(x);
        x = next(convs[0], x);
        for (int i = 1; i < convs.length; i++) {
            x = next(convs[i], next(norms[i], x));
        }
        return Activations.addActivation(x, shortcut, Activation.NONE);
    }
}
