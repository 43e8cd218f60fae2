package tenon.apps.networks;

import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.AvgPool2d;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dropout;
import tenon.layers.Flatten;
import tenon.layers.GlobalAvgPool2d;
import tenon.layers.Initializer;
import tenon.layers.MaxPool2d;
import tenon.layers.Sequential;
import tenon.layers.blocks.Fire;

/**
 * SqueezeNet 1.0 (Iandola et al. 2016, table 1): input [N, H, W, C], output logits [N, classes]. Convolution 7×7/2, eight Fire modules, dropout
 * 0.5, convolution 1×1 to the classes, average over the last map; no dense layer. Each convolution, the last too, has a bias and is followed by the
 * activation, so that the logits are averages of activated values.
 *
 * <p>1,248,424 parameters for 3 channels and 1000 classes. Defaults are those of the original experiment in MXNet: ELU with slope 0.25, no batch
 * norm, Glorot uniform weights, zero bias. Its input is 227×227: the last average has a window of 13×13, which 227 to 242 pixels a side fill.
 */
public final class SqueezeNet extends Sequential {
    /** Side of the original's last average. */
    public static final int LAST_SIDE = 13;

    /** Of the pictures whose last map is that large. */
    public static final int SMALLEST_SIDE = smallestSide(LAST_SIDE);

    public static final int LARGEST_SIDE = smallestSide(LAST_SIDE + 1) - 1;

    /** Instead of {@link #LAST_SIDE}: the last average goes over the whole map, whatever its size. */
    public static final int WHOLE_MAP = 0;

    /** Of the pictures that still have a last map. */
    public static final int SMALLEST_SIDE_FOR_WHOLE_MAP = smallestSide(1);

    private final double multiplier;
    private final Activation activation;
    private final BatchNormSpec norm;
    private final Initializer initializer;

    public SqueezeNet(int height, int width, int channels, int classes) {
        this(height, width, channels, classes, 1, LAST_SIDE, Activation.elu(0.25f), null, Initializer.glorotUniform());
    }

    /**
     * @param multiplier of all filters but the last convolution's; they are rounded to multiples of 8. The original's is 1
     * @param lastSide side of the last map, over which the last average goes; height and width must lead to it. {@link #WHOLE_MAP} takes any
     * @param norm batch norm after each activation; null for none
     */
    public SqueezeNet(
            int height,
            int width,
            int channels,
            int classes,
            double multiplier,
            int lastSide,
            Activation activation,
            BatchNormSpec norm,
            Initializer initializer) {
        if (lastSide != WHOLE_MAP && (lastSide(height) != lastSide || lastSide(width) != lastSide)) {
            throw new IllegalArgumentException("SqueezeNet: the last map must be " + lastSide + "x" + lastSide
                    + ", which pictures of " + smallestSide(lastSide) + " to " + (smallestSide(lastSide + 1) - 1)
                    + " pixels a side lead to: height=" + height + ", width=" + width);
        }
        this.multiplier = multiplier;
        this.activation = activation;
        this.norm = norm;
        this.initializer = initializer;
        int in = conv(1, channels, scaled(96), 7, 2);
        add("pool_1", new MaxPool2d(3, 2));
        in = fire(2, in, 16, 64);
        in = fire(3, in, 16, 64);
        in = fire(4, in, 32, 128);
        add("pool_4", new MaxPool2d(3, 2));
        in = fire(5, in, 32, 128);
        in = fire(6, in, 48, 192);
        in = fire(7, in, 48, 192);
        in = fire(8, in, 64, 256);
        add("pool_8", new MaxPool2d(3, 2));
        in = fire(9, in, 64, 256);
        add("do_9", new Dropout(0.5));
        conv(10, in, classes, 1, 1);
        add("pool_10", lastSide == WHOLE_MAP ? new GlobalAvgPool2d() : new AvgPool2d(lastSide, 1));
        add("flatten", new Flatten());
    }

    private int conv(int number, int in, int out, int kernel, int stride) {
        add(
                "conv_" + number,
                Conv2d.builder(in, out, kernel)
                        .stride(stride)
                        .initializer(initializer)
                        .activation(activation)
                        .build());
        if (norm != null) {
            add("bn_" + number, new BatchNorm(out, norm));
        }
        return out;
    }

    private int fire(int number, int in, int squeeze, int expand) {
        int filters = scaled(expand);
        add("fire_" + number, new Fire(in, scaled(squeeze), filters, activation, norm, initializer));
        return 2 * filters;
    }

    private int scaled(int count) {
        return Widths.scaled(count, multiplier);
    }

    /** Side of the last map of a picture; 0 or less where there is none. */
    private static int lastSide(int side) {
        int x = Math.floorDiv(side - 7, 2) + 1;
        for (int pool = 0; pool < 3; pool++) {
            x = Math.floorDiv(x - 3, 2) + 1;
        }
        return x;
    }

    /** Of the pictures that lead to a last map of this side. */
    private static int smallestSide(int lastSide) {
        int x = lastSide;
        for (int pool = 0; pool < 3; pool++) {
            x = 2 * (x - 1) + 3;
        }
        return 2 * (x - 1) + 7;
    }
}
