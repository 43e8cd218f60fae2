package tenon.apps.networks;

import tenon.engine.ops.BatchNormSpec;
import tenon.layers.Conv2d;
import tenon.layers.Dense;
import tenon.layers.Dropout;
import tenon.layers.Flatten;
import tenon.layers.Initializer;
import tenon.layers.MaxPool2d;
import tenon.layers.Sequential;

/**
 * VGG16, configuration D of Simonyan and Zisserman 2014, with PReLU and batch norm: input [N, H, W, C] with H and W at least {@link #SMALLEST_SIDE},
 * output logits [N, classes]. Blocks of 2, 2, 3, 3 and 3 convolutions 3×3 with 64, 128, 256, 512 and 512 filters, each block with max pool 2×2 and
 * dropout 0.25; dense 4096 and dropout 0.5 twice; dense. Each but the last is followed by PReLU and batch norm, in this order.
 *
 * <p>138,357,544 weights and biases for 224×224×3 and 1000 classes; 12,416 channels with a slope and batch norm. Defaults are those of the
 * original experiment in MXNet: slopes start at 0.25, {@link BatchNormSpec#mxnet}, {@link Initializer#msraPrelu} weights, zero bias.
 */
public final class Vgg16 extends Sequential {
    /** The last pooling then gives one pixel. */
    public static final int SMALLEST_SIDE = 32;

    /** That PReLU starts with. */
    public static final double SLOPE = 0.25;

    /** Behind each pooling. */
    public static final double POOL_DROPOUT = 0.25;

    private static final int[] CONVS = {2, 2, 3, 3, 3};
    private static final int[] FILTERS = {64, 128, 256, 512, 512};

    private final UnitStyle style;

    public Vgg16(int height, int width, int channels, int classes) {
        this(height, width, channels, classes, 1, POOL_DROPOUT, style());
    }

    /**
     * A variant. The paper's network is {@link Nonlinearity#RELU} and {@link NormPosition#NONE} with a pool dropout of 0.
     *
     * @param multiplier of all layers' filters and units, but the last one's; they are rounded to multiples of 8. The original's is 1
     * @param poolDropout 0 for no dropout behind the poolings
     * @param style its PReLU starts at {@link #SLOPE} in the original, or at 1 if its MXNet was older than 2017
     */
    public Vgg16(
            int height, int width, int channels, int classes, double multiplier, double poolDropout, UnitStyle style) {
        this.style = style;
        int in = channels;
        for (int block = 1; block <= CONVS.length; block++) {
            int filters = Widths.scaled(FILTERS[block - 1], multiplier);
            for (int i = 1; i <= CONVS[block - 1]; i++) {
                String unit = block + "_" + i;
                style.add(
                        this,
                        "conv" + unit,
                        unit,
                        Conv2d.builder(in, filters, 3).padding(1),
                        filters);
                in = filters;
            }
            add("pool" + block, new MaxPool2d(2, 2));
            if (poolDropout > 0) {
                add("do" + block, new Dropout(poolDropout));
            }
        }
        add("flatten", new Flatten());
        int units = Widths.scaled(4096, multiplier);
        dense("fc1", 6, height / 32 * (width / 32) * in, units);
        dense("fc2", 7, units, units);
        add("fc3", new Dense(units, classes, true, style.initializer()));
    }

    /** The original's units. */
    public static UnitStyle style() {
        return new UnitStyle(
                Nonlinearity.prelu(SLOPE),
                NormPosition.AFTER_ACTIVATION,
                BatchNormSpec.mxnet(),
                Initializer.msraPrelu());
    }

    private void dense(String name, int block, int in, int units) {
        style.add(this, name, block + "_1", Dense.builder(in, units), units);
        add("do" + block, new Dropout(0.5));
    }
}
