package tenon.apps.networks;

import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.BatchNorm;
import tenon.layers.Dense;
import tenon.layers.Dropout;
import tenon.layers.Flatten;
import tenon.layers.Initializer;
import tenon.layers.Sequential;

/**
 * Input [N, H, W, C], output logits [N, classes]. Three blocks of one, two and three 3×3 convolutions with 32, 64 and 128 filters, each conv → ReLU
 * → batch norm, each block with max pool 2×2 and dropout 0.25; then dense 512 → ReLU → batch norm → dropout 0.5 → dense. 4,625,923 parameters for
 * 64×64×3 and 3 classes. Defaults are those of the original experiment in Keras: batch norm with momentum 0.99 and epsilon 1e-3, Glorot uniform
 * weights, zero bias.
 */
public final class SmallVggNet extends Sequential {
    public SmallVggNet(int height, int width, int channels, int classes) {
        this(height, width, channels, classes, BatchNormSpec.keras(), Initializer.glorotUniform());
    }

    public SmallVggNet(int height, int width, int channels, int classes, BatchNormSpec norm, Initializer initializer) {
        add("block1", new VggBlock(channels, 32, 1, 0.25, norm, initializer));
        add("block2", new VggBlock(32, 64, 2, 0.25, norm, initializer));
        add("block3", new VggBlock(64, 128, 3, 0.25, norm, initializer));
        add("flatten", new Flatten());
        Dense.Builder dense = Dense.builder(height / 8 * (width / 8) * 128, 512).initializer(initializer);
        add("fc1", dense.activation(Activation.RELU).build());
        add("bn", new BatchNorm(512, norm));
        add("dropout", new Dropout(0.5));
        add("fc2", new Dense(512, classes, true, initializer));
    }
}
