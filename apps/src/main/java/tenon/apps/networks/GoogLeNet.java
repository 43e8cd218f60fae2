package tenon.apps.networks;

import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.engine.ops.PoolSpec;
import tenon.layers.Conv2d;
import tenon.layers.Dense;
import tenon.layers.Dropout;
import tenon.layers.Flatten;
import tenon.layers.GlobalAvgPool2d;
import tenon.layers.Initializer;
import tenon.layers.MaxPool2d;
import tenon.layers.Sequential;
import tenon.layers.blocks.ConvNorm;
import tenon.layers.blocks.Inception;
import tenon.layers.blocks.Inception.Filters;

/**
 * GoogLeNet (Szegedy et al. 2014, "Going deeper with convolutions", table 1) with batch norm and without the auxiliary classifiers: input
 * [N, H, W, C], output logits [N, classes]. Every convolution has a bias and is followed by batch norm and ReLU; dropout 0.4 before the dense
 * layer. The last average is over the whole map, which at 193 to 224 pixels a side is the paper's 7×7 window.
 *
 * <p>7,005,832 trained parameters for 3 channels and 1000 classes. Defaults are those of the original experiment in MXNet: {@link BatchNormSpec#mxnet},
 * Glorot uniform weights, zero bias.
 */
public final class GoogLeNet extends Sequential {
    /** Five halvings. */
    public static final int SMALLEST_SIDE = 32;

    private final double multiplier;
    private final BatchNormSpec norm;
    private final Initializer initializer;

    public GoogLeNet(int channels, int classes) {
        this(channels, classes, 1, BatchNormSpec.mxnet(), Initializer.glorotUniform());
    }

    /**
     * @param multiplier of all filters; they are rounded to multiples of 8. The original's is 1
     * @param spec of batch norm; ReLU is added
     */
    public GoogLeNet(int channels, int classes, double multiplier, BatchNormSpec spec, Initializer initializer) {
        this.multiplier = multiplier;
        norm = spec.withActivation(Activation.RELU);
        this.initializer = initializer;
        add("conv1_1", conv(channels, scaled(64), 7, 2));
        add("pool1", halving());
        add("conv1_2", conv(scaled(64), scaled(64), 1, 1));
        add("conv1_3", conv(scaled(64), scaled(192), 3, 1));
        add("pool2", halving());
        int in = scaled(192);
        in = inception("3a", in, new Filters(64, 96, 128, 16, 32, 32));
        in = inception("3b", in, new Filters(128, 128, 192, 32, 96, 64));
        add("pool3", halving());
        in = inception("4a", in, new Filters(192, 96, 208, 16, 48, 64));
        in = inception("4b", in, new Filters(160, 112, 224, 24, 64, 64));
        in = inception("4c", in, new Filters(128, 128, 256, 24, 64, 64));
        in = inception("4d", in, new Filters(112, 144, 288, 32, 64, 64));
        in = inception("4e", in, new Filters(256, 160, 320, 32, 128, 128));
        add("pool4", halving());
        in = inception("5a", in, new Filters(256, 160, 320, 32, 128, 128));
        in = inception("5b", in, new Filters(384, 192, 384, 48, 128, 128));
        add("pool5", new GlobalAvgPool2d());
        add("do", new Dropout(0.4));
        add("flatten", new Flatten());
        add("fc1", new Dense(in, classes, true, initializer));
    }

    private int inception(String name, int in, Filters original) {
        Filters filters = new Filters(
                scaled(original.conv1x1()),
                scaled(original.reduce3x3()),
                scaled(original.conv3x3()),
                scaled(original.reduce5x5()),
                scaled(original.conv5x5()),
                scaled(original.projection()));
        add("inception" + name, new Inception(in, filters, norm, initializer));
        return filters.output();
    }

    private ConvNorm conv(int in, int out, int kernel, int stride) {
        return new ConvNorm(
                Conv2d.builder(in, out, kernel)
                        .stride(stride)
                        .padding(kernel / 2)
                        .initializer(initializer)
                        .build(),
                norm);
    }

    private int scaled(int count) {
        return Widths.scaled(count, multiplier);
    }

    private static MaxPool2d halving() {
        return new MaxPool2d(PoolSpec.of(3, 2, 1));
    }
}
