package tenon.apps.networks;

import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.ActivationLayer;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dense;
import tenon.layers.Dropout;
import tenon.layers.Flatten;
import tenon.layers.Initializer;
import tenon.layers.MaxPool2d;
import tenon.layers.Sequential;

/**
 * AlexNet in one tower (after Krizhevsky et al. 2012): input [N, H, W, C] with H and W at least {@link #SMALLEST_SIDE}, output logits [N, classes].
 * Convolutions 11×11/4, 5×5, 3×3 three times, with 96, 256, 384, 384 and 256 filters, max pool 3×3/2 and dropout 0.25 after the first, second and
 * fifth; dense 4096 and dropout 0.5 twice; dense. Each but the last is followed by activation and batch norm.
 *
 * <p>62,378,344 weights and biases for 227×227×3 and 1000 classes, and 9,568 channels of batch norm. Defaults are those of the original experiment
 * in MXNet: ELU with slope 0.25, batch norm after the activation with {@link BatchNormSpec#mxnet}, Glorot uniform weights, zero bias.
 */
public final class AlexNet extends Sequential {
    /** The last pooling then gives one pixel. */
    public static final int SMALLEST_SIDE = 67;

    /** The original's. */
    public static final Activation ACTIVATION = Activation.elu(0.25f);

    private static final int CHANNEL_STEP = 8;

    private final double multiplier;
    private final Activation activation;
    private final NormPosition position;
    private final BatchNormSpec norm;
    private final Initializer initializer;

    public AlexNet(int height, int width, int channels, int classes) {
        this(
                height,
                width,
                channels,
                classes,
                1,
                ACTIVATION,
                NormPosition.AFTER_ACTIVATION,
                BatchNormSpec.mxnet(),
                Initializer.glorotUniform());
    }

    /**
     * A variant.
     *
     * @param multiplier of all layers' filters and units, but the last one's; they are rounded to multiples of 8. The original's is 1
     */
    public AlexNet(
            int height,
            int width,
            int channels,
            int classes,
            double multiplier,
            Activation activation,
            NormPosition position,
            BatchNormSpec norm,
            Initializer initializer) {
        this.multiplier = multiplier;
        this.activation = activation;
        this.position = position;
        this.norm = norm;
        this.initializer = initializer;
        conv("1_1", channels, scaled(96), 11, 4, 0);
        pool(1);
        conv("2_1", scaled(96), scaled(256), 5, 1, 2);
        pool(2);
        conv("3_1", scaled(256), scaled(384), 3, 1, 1);
        conv("3_2", scaled(384), scaled(384), 3, 1, 1);
        conv("3_3", scaled(384), scaled(256), 3, 1, 1);
        pool(3);
        add("flatten", new Flatten());
        dense("fc1", "4_1", lastSide(height) * lastSide(width) * scaled(256));
        add("do4", new Dropout(0.5));
        dense("fc2", "5_1", scaled(4096));
        add("do5", new Dropout(0.5));
        add("fc3", new Dense(scaled(4096), classes, true, initializer));
    }

    private void conv(String unit, int in, int out, int kernel, int stride, int padding) {
        Conv2d.Builder conv = Conv2d.builder(in, out, kernel)
                .stride(stride)
                .padding(padding)
                .initializer(initializer)
                .activation(directActivation());
        add("conv" + unit, conv.build());
        norm(unit, out);
    }

    private void dense(String name, String unit, int in) {
        int out = scaled(4096);
        Dense.Builder dense = Dense.builder(in, out).initializer(initializer).activation(directActivation());
        add(name, dense.build());
        norm(unit, out);
    }

    /** Of the layer in front of the norm. */
    private Activation directActivation() {
        return position == NormPosition.AFTER_ACTIVATION ? activation : Activation.NONE;
    }

    private void norm(String unit, int channels) {
        add("bn" + unit, new BatchNorm(channels, norm));
        if (position == NormPosition.BEFORE_ACTIVATION) {
            add("act" + unit, new ActivationLayer(activation));
        }
    }

    private void pool(int block) {
        add("pool" + block, new MaxPool2d(3, 2));
        add("do" + block, new Dropout(0.25));
    }

    private int scaled(int count) {
        return Math.max(1, (int) Math.round(multiplier * count / CHANNEL_STEP)) * CHANNEL_STEP;
    }

    private static int lastSide(int side) {
        int x = (side - 11) / 4 + 1;
        for (int pool = 0; pool < 3; pool++) {
            x = (x - 3) / 2 + 1;
        }
        return x;
    }
}
