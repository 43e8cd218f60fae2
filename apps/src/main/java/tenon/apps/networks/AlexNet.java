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
 * AlexNet in one tower (after Krizhevsky et al. 2012): input [N, H, W, C] with H and W at least {@link #SMALLEST_SIDE}, output logits [N, classes].
 * Convolutions 11×11/4, 5×5, 3×3 three times, with 96, 256, 384, 384 and 256 filters, max pool 3×3/2 and dropout 0.25 after the first, second and
 * fifth; dense 4096 and dropout 0.5 twice; dense. Each but the last is followed by activation and batch norm.
 *
 * <p>62,378,344 weights and biases for 227×227×3 and 1000 classes, and 9,568 channels of batch norm. Defaults are those of the original experiment
 * in MXNet: ELU with slope 0.25, batch norm after the activation with {@link BatchNormSpec#mxnet}, Glorot uniform weights, zero bias. {@link
 * #dogsVsCats} has those of the one in Keras.
 */
public final class AlexNet extends Sequential {
    /** The last pooling then gives one pixel. */
    public static final int SMALLEST_SIDE = 67;

    /** The same for a padded first convolution. */
    public static final int SMALLEST_PADDED_SIDE = 57;

    private final double multiplier;
    private final UnitStyle style;

    public AlexNet(int height, int width, int channels, int classes) {
        this(height, width, channels, classes, 1, false, style());
    }

    /**
     * A variant.
     *
     * @param multiplier of all layers' filters and units, but the last one's; they are rounded to multiples of 8. The original's is 1
     * @param paddedFirst whether the first convolution has TensorFlow's "same" padding: 227 pixels become 57, not 55. The counts stay the same
     */
    public AlexNet(
            int height, int width, int channels, int classes, double multiplier, boolean paddedFirst, UnitStyle style) {
        this.multiplier = multiplier;
        this.style = style;
        Conv2d.Builder first = Conv2d.builder(channels, scaled(96), 11).stride(4);
        style.add(this, "conv1_1", "1_1", paddedFirst ? first.samePadding() : first, scaled(96));
        pool(1);
        conv("2_1", 96, 256, 5);
        pool(2);
        conv("3_1", 256, 384, 3);
        conv("3_2", 384, 384, 3);
        conv("3_3", 384, 256, 3);
        pool(3);
        add("flatten", new Flatten());
        dense("fc1", "4_1", lastSide(height, paddedFirst) * lastSide(width, paddedFirst) * scaled(256));
        add("do4", new Dropout(0.5));
        dense("fc2", "5_1", scaled(4096));
        add("do5", new Dropout(0.5));
        add("fc3", new Dense(scaled(4096), classes, true, style.initializer()));
    }

    /** The original's units on ImageNet. */
    public static UnitStyle style() {
        return new UnitStyle(
                Nonlinearity.elu(0.25),
                NormPosition.AFTER_ACTIVATION,
                BatchNormSpec.mxnet(),
                Initializer.glorotUniform());
    }

    /** The units of {@link #dogsVsCats}: ReLU → batch norm with Keras's defaults. */
    public static UnitStyle dogsVsCatsStyle() {
        return new UnitStyle(
                Nonlinearity.RELU, NormPosition.AFTER_ACTIVATION, BatchNormSpec.keras(), Initializer.glorotUniform());
    }

    /** The variant trained on dogs and cats: padded first convolution and {@link #dogsVsCatsStyle}. 58,308,674 parameters for 227×227×3 and 2 classes. */
    public static AlexNet dogsVsCats(int height, int width, int channels, int classes) {
        return new AlexNet(height, width, channels, classes, 1, true, dogsVsCatsStyle());
    }

    private void conv(String unit, int in, int out, int kernel) {
        Conv2d.Builder conv = Conv2d.builder(scaled(in), scaled(out), kernel).padding(kernel / 2);
        style.add(this, "conv" + unit, unit, conv, scaled(out));
    }

    private void dense(String name, String unit, int in) {
        style.add(this, name, unit, Dense.builder(in, scaled(4096)), scaled(4096));
    }

    private void pool(int block) {
        add("pool" + block, new MaxPool2d(3, 2));
        add("do" + block, new Dropout(0.25));
    }

    private int scaled(int count) {
        return Widths.scaled(count, multiplier);
    }

    private static int lastSide(int side, boolean paddedFirst) {
        int x = paddedFirst ? Math.ceilDiv(side, 4) : (side - 11) / 4 + 1;
        for (int pool = 0; pool < 3; pool++) {
            x = (x - 3) / 2 + 1;
        }
        return x;
    }
}
