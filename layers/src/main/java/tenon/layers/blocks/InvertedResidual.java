package tenon.layers.blocks;

import tenon.engine.Tensor;
import tenon.engine.ops.Activation;
import tenon.engine.ops.Activations;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.InferenceChain;
import tenon.layers.Initializer;
import tenon.layers.Module;

/**
 * Inverted residual with linear bottleneck (Sandler et al. 2018, "MobileNetV2", section 3.3 and figure 4): input [N, H, W, C], output [N,
 * ⌈H / stride⌉, ⌈W / stride⌉, filters]. 1×1 to expansion·C channels (left out for expansion 1), 3×3 per channel with the stride, 1×1 to the filters
 * without activation; plus the input where stride and channels leave its shape as it is. No convolution has a bias, each is followed by batch norm.
 * Children {@code expand}, {@code depthwise}, {@code project}.
 */
public final class InvertedResidual extends Module {
    private final ConvNorm expand;
    private final ConvNorm depthwise;
    private final ConvNorm project;
    private final boolean residual;

    /**
     * @param samePadding as in {@link DepthwiseSeparable}
     * @param activation of all but the last convolution; the paper's is ReLU6
     * @param norm without activation
     */
    public InvertedResidual(
            int channels,
            int filters,
            int stride,
            int expansion,
            boolean samePadding,
            Activation activation,
            BatchNormSpec norm,
            Initializer initializer) {
        if (expansion < 1) {
            throw new IllegalArgumentException(
                    "InvertedResidual: expansion must be at least 1: expansion=" + expansion);
        }
        int hidden = channels * expansion;
        expand = expansion == 1
                ? null
                : child("expand", Depthwise.pointwise(channels, hidden, activation, norm, initializer));
        depthwise = child("depthwise", Depthwise.filter(hidden, stride, samePadding, activation, norm, initializer));
        project = child("project", Depthwise.pointwise(hidden, filters, Activation.NONE, norm, initializer));
        residual = stride == 1 && channels == filters;
    }

    /** Whether the input is added. */
    public boolean isResidual() {
        return residual;
    }

    @Override
    protected void appendTo(InferenceChain chain) {
        InferenceChain main = residual ? InferenceChain.of() : chain;
        if (expand != null) {
            main.append(expand);
        }
        main.append(depthwise);
        main.append(project);
        if (residual) {
            chain.add(this, x -> Activations.addActivation(main.run(x), x, Activation.NONE));
        }
    }

    @Override
    protected Tensor forward(Tensor input) {
        Tensor x = expand == null ? depthwise.apply(input) : next(depthwise, expand.apply(input));
        if (!residual) {
            return next(project, x);
        }
        Tensor sum = project.applyAdding(x, input, Activation.NONE);
        x.close();
        return sum;
    }

    @Override
    protected String settings() {
        return residual ? "residual" : "";
    }
}
