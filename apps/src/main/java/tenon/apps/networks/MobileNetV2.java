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
import tenon.layers.blocks.InvertedResidual;

/**
 * MobileNetV2 (Sandler et al. 2018, table 2): input [N, H, W, C] of any size, output logits [N, classes]. Convolution 3×3/2 with 32 filters,
 * seventeen inverted residuals with 16 to 320, convolution 1×1 with 1280, global average, dropout, dense. Each convolution is followed by batch norm
 * and, the blocks' last ones excepted, ReLU6; none has a bias.
 *
 * <p>3,504,872 parameters and 300,774,272 multiply-adds for 224×224×3 and 1000 classes. Defaults are those of Keras's port, TensorFlow's "same" padding,
 * {@link BatchNormSpec#keras}, Glorot uniform weights, with the dropout 0.2 of the authors' program.
 */
public final class MobileNetV2 extends Sequential {
    /** Five halvings. */
    public static final int SMALLEST_SIDE = 32;

    /** Four halvings, where the first convolution has a stride of 1. */
    public static final int SMALLEST_SIDE_FOR_SMALL_STEM = 16;

    public static final double DROPOUT = 0.2;

    /**
     * The layers that SSDLite's first two maps are (section 6.2, whose "layer 15" counts the stem): the expansion of block 14 in front of its stride, and
     * the last convolution; [N, 19, 19, 576] and [N, 10, 10, 1280] of 300×300 pictures ({@link tenon.layers.FeatureMaps}).
     */
    public static final List<String> SSD_MAPS = List.of("block14.expand", "conv2");

    private static final int STEM = 32;
    private static final int LAST = 1280;

    /** A line of table 2: blocks of one width, the first of them with the stride. */
    private record Stage(int expansion, int filters, int blocks, int stride) {}

    private static final Stage[] STAGES = {
        new Stage(1, 16, 1, 1),
        new Stage(6, 24, 2, 2),
        new Stage(6, 32, 3, 2),
        new Stage(6, 64, 4, 2),
        new Stage(6, 96, 3, 1),
        new Stage(6, 160, 3, 2),
        new Stage(6, 320, 1, 1)
    };

    public MobileNetV2(int channels, int classes) {
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
     * @param multiplier of all filters, rounded to multiples of 8 as in the authors' program; the last convolution keeps 1280 where it is below 1
     * @param stemStride of the first convolution: 2 in the paper, 1 for pictures of about 32×32
     * @param samePadding TensorFlow's "same", which pads even sizes only at the bottom and right before a stride of 2; else 1 on all four sides, as
     *     PyTorch's weights want it
     * @param dropout before the dense layer
     * @param norm without activation
     */
    public MobileNetV2(
            int channels,
            int classes,
            double multiplier,
            int stemStride,
            boolean samePadding,
            double dropout,
            Activation activation,
            BatchNormSpec norm,
            Initializer initializer) {
        int in = Widths.divisible(STEM * multiplier);
        Conv2d.Builder stem =
                Conv2d.builder(channels, in, 3).stride(stemStride).bias(false).initializer(initializer);
        add("conv1", new ConvNorm((samePadding ? stem.samePadding() : stem.padding(1)).build(), norm, activation));
        int number = 0;
        for (Stage stage : STAGES) {
            int filters = Widths.divisible(stage.filters * multiplier);
            for (int i = 0; i < stage.blocks; i++) {
                int stride = i == 0 ? stage.stride : 1;
                number++;
                add(
                        "block" + number,
                        new InvertedResidual(
                                in, filters, stride, stage.expansion, samePadding, activation, norm, initializer));
                in = filters;
            }
        }
        int last = Widths.divisible(LAST * Math.max(1, multiplier));
        Conv2d.Builder end = Conv2d.builder(in, last, 1).bias(false).initializer(initializer);
        add("conv2", new ConvNorm(end.build(), norm, activation));
        add("pool", new GlobalAvgPool2d());
        add("flatten", new Flatten());
        add("do", new Dropout(dropout));
        add("fc", new Dense(last, classes, true, initializer));
    }
}
