package tenon.apps.networks;

import tenon.engine.ops.Activation;
import tenon.layers.Conv2d;
import tenon.layers.Dense;
import tenon.layers.Dropout;
import tenon.layers.Flatten;
import tenon.layers.Initializer;
import tenon.layers.MaxPool2d;
import tenon.layers.Sequential;

/**
 * The course's network for CIFAR-10: input [N, H, W, C] with H and W at least {@link #SMALLEST_SIDE}, output logits [N, classes]. Convolutions 3×3
 * with 64, 2×2 with 128 twice, 1×1 with 256 and 512 filters, "same" padding, no bias, max pool 2×2 after the first, third and fourth; dense 1024, 512
 * and 256 with dropout; dense. ReLU after each but the last.
 *
 * <p>9,312,202 parameters for 32×32×3 and 10 classes. The original program filled its filters with zeros, from which nothing is learned; the default
 * here is {@link Initializer#heNormal}, with Glorot uniform weights in dense layers.
 */
public final class CifarNet extends Sequential {
    /** Three halvings. */
    public static final int SMALLEST_SIDE = 8;

    public static final double DROPOUT = 0.5;

    private final Initializer filters;
    private final Initializer dense;
    private final double dropout;

    public CifarNet(int height, int width, int channels, int classes) {
        this(height, width, channels, classes, DROPOUT, Initializer.heNormal(), Initializer.glorotUniform());
    }

    /**
     * @param dropout share of the dense layers' units that is dropped
     * @param filters initializes convolutions
     * @param dense initializes dense layers
     */
    public CifarNet(
            int height, int width, int channels, int classes, double dropout, Initializer filters, Initializer dense) {
        this.filters = filters;
        this.dense = dense;
        this.dropout = dropout;
        conv(1, channels, 64, 3);
        add("pool1", new MaxPool2d(2, 2));
        conv(2, 64, 128, 2);
        conv(3, 128, 128, 2);
        add("pool2", new MaxPool2d(2, 2));
        conv(4, 128, 256, 1);
        add("pool3", new MaxPool2d(2, 2));
        conv(5, 256, 512, 1);
        add("flatten", new Flatten());
        dense(1, height / 8 * (width / 8) * 512, 1024);
        dense(2, 1024, 512);
        dense(3, 512, 256);
        add("fc4", new Dense(256, classes, true, dense));
    }

    private void conv(int number, int in, int out, int kernel) {
        add(
                "conv" + number,
                Conv2d.builder(in, out, kernel)
                        .samePadding()
                        .bias(false)
                        .initializer(filters)
                        .activation(Activation.RELU)
                        .build());
    }

    private void dense(int number, int in, int out) {
        add(
                "fc" + number,
                Dense.builder(in, out)
                        .initializer(dense)
                        .activation(Activation.RELU)
                        .build());
        add("do" + number, new Dropout(dropout));
    }
}
