package tenon.apps.networks;

import java.util.List;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.Conv2d;
import tenon.layers.Dense;
import tenon.layers.Dropout;
import tenon.layers.Flatten;
import tenon.layers.GlobalAvgPool2d;
import tenon.layers.Initializer;
import tenon.layers.Sequential;
import tenon.layers.blocks.ConvNorm;
import tenon.layers.blocks.DepthwiseSeparable;

/**
 * MobileNet (Howard et al. 2017, "MobileNets", table 1): input [N, H, W, C] of any size, output logits [N, classes]. Convolution 3×3/2 with 32
 * filters, thirteen depthwise separable blocks with 64 to 1024, global average, dropout, dense. Each convolution is followed by batch norm and ReLU6
 * and has no bias.
 *
 * <p>4,231,976 parameters and 568,740,352 multiply-adds for 224×224×3 and 1000 classes. Defaults are those of Keras's port: TensorFlow's "same"
 * padding, {@link BatchNormSpec#keras}, dropout 0.001, Glorot uniform weights.
 */
public final class MobileNetV1 extends Sequential {
    /** Five halvings. */
    public static final int SMALLEST_SIDE = 32;

    /** Four halvings, where the first convolution has a stride of 1. */
    public static final int SMALLEST_SIDE_FOR_SMALL_STEM = 16;

    public static final double DROPOUT = 0.001;

    /** The layers that SSD's first two maps are: [N, 19, 19, 512] and [N, 10, 10, 1024] of 300×300 pictures ({@link tenon.layers.FeatureMaps}). */
    public static final List<String> SSD_MAPS = List.of("block11", "block13");

    private static final int LEAST_FILTERS = 8;

    private static final int STEM = 32;
    private static final int[] FILTERS = {64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024};

    public MobileNetV1(int channels, int classes) {
        this(
                channels,
                classes,
                1,
                2,
                true,
                DROPOUT,
                Activation.RELU6,
                BatchNormSpec.keras(),
                Initializer.glorotUniform());
    }

    /**
     * @param multiplier α of section 3.3: of all filters, rounded down, but not below 8
     * @param stemStride of the first convolution: 2 in the paper, 1 for pictures of about 32×32
     * @param samePadding TensorFlow's "same", which pads even sizes only at the bottom and right before a stride of 2; else 1 on all four sides
     * @param dropout before the dense layer
     * @param norm without activation
     */
    public MobileNetV1(
            int channels,
            int classes,
            double multiplier,
            int stemStride,
            boolean samePadding,
            double dropout,
            Activation activation,
            BatchNormSpec norm,
            Initializer initializer) {
        int in = scaled(STEM, multiplier);
        Conv2d.Builder stem =
                Conv2d.builder(channels, in, 3).stride(stemStride).bias(false).initializer(initializer);
        add("conv1", new ConvNorm((samePadding ? stem.samePadding() : stem.padding(1)).build(), norm, activation));
        for (int block = 1; block <= FILTERS.length; block++) {
            int filters = scaled(FILTERS[block - 1], multiplier);
            // Filters double where maps halve, and once before.
            int stride = block > 1 && FILTERS[block - 1] > FILTERS[block - 2] ? 2 : 1;
            add(
                    "block" + block,
                    new DepthwiseSeparable(in, filters, stride, samePadding, activation, norm, initializer));
            in = filters;
        }
        add("pool", new GlobalAvgPool2d());
        add("flatten", new Flatten());
        add("do", new Dropout(dropout));
        add("fc", new Dense(in, classes, true, initializer));
    }

    private static int scaled(int count, double multiplier) {
        return Math.max(LEAST_FILTERS, (int) (multiplier * count));
    }
}
