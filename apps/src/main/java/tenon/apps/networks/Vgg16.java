package tenon.apps.networks;

import tenon.engine.Shape;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dense;
import tenon.layers.Dropout;
import tenon.layers.Flatten;
import tenon.layers.Initializer;
import tenon.layers.MaxPool2d;
import tenon.layers.PRelu;
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

    private static final int[] CONVS = {2, 2, 3, 3, 3};
    private static final int[] FILTERS = {64, 128, 256, 512, 512};

    private final double slope;
    private final BatchNormSpec norm;
    private final Initializer initializer;

    public Vgg16(int height, int width, int channels, int classes) {
        this(height, width, channels, classes, SLOPE, BatchNormSpec.mxnet(), Initializer.msraPrelu());
    }

    /** @param slope {@link #SLOPE} in the original, or 1 if its MXNet was older than 2017 */
    public Vgg16(
            int height,
            int width,
            int channels,
            int classes,
            double slope,
            BatchNormSpec norm,
            Initializer initializer) {
        this.slope = slope;
        this.norm = norm;
        this.initializer = initializer;
        int in = channels;
        for (int block = 1; block <= CONVS.length; block++) {
            int filters = FILTERS[block - 1];
            for (int i = 1; i <= CONVS[block - 1]; i++) {
                String unit = block + "_" + i;
                add("conv" + unit, conv(in, filters));
                activationAndNorm(unit, filters);
                in = filters;
            }
            add("pool" + block, new MaxPool2d(2, 2));
            add("do" + block, new Dropout(0.25));
        }
        add("flatten", new Flatten());
        dense("fc1", 6, height / 32 * (width / 32) * in);
        dense("fc2", 7, 4096);
        add("fc3", new Dense(4096, classes, true, initializer));
    }

    private Conv2d conv(int in, int out) {
        return Conv2d.builder(in, out, 3).padding(1).initializer(initializer).build();
    }

    private void dense(String name, int block, int in) {
        add(name, new Dense(in, 4096, true, initializer));
        activationAndNorm(block + "_1", 4096);
        add("do" + block, new Dropout(0.5));
    }

    private void activationAndNorm(String unit, int channels) {
        add("act" + unit, new PRelu(Initializer.constant(slope).create(Shape.of(channels))));
        add("bn" + unit, new BatchNorm(channels, norm));
    }
}
