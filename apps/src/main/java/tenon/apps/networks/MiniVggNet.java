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
 * Input [N, H, W, C], output logits [N, classes]. Two blocks of two 3×3 convolutions with 32 and 64 filters, each conv → ReLU → batch norm, each
 * block with max pool 2×2 and dropout 0.25; then dense 512 → ReLU → batch norm → dropout 0.5 → dense. 2,169,770 trained parameters for 32×32×3
 * and 10 classes (CIFAR-10). Defaults are Keras's: batch norm with momentum 0.99 and epsilon 1e-3, Glorot uniform weights, zero bias.
 */
public final class MiniVggNet extends Sequential {
    public MiniVggNet(int height, int width, int channels, int classes) {
        this(height, width, channels, classes, BatchNormSpec.keras(), Initializer.glorotUniform());
    }

    public MiniVggNet(int height, int width, int channels, int classes, BatchNormSpec norm, Initializer initializer) {
        add("block1", new VggBlock(channels, 32, 2, 0.25, norm, initializer));
        add("block2", new VggBlock(32, 64, 2, 0.25, norm, initializer));
        add("flatten", new Flatten());
        Dense.Builder dense = Dense.builder(height / 4 * (width / 4) * 64, 512).initializer(initializer);
        add("fc1", dense.activation(Activation.RELU).build());
        add("bn", new BatchNorm(512, norm));
        add("dropout", new Dropout(0.5));
        add("fc2", new Dense(512, classes, true, initializer));
    }
}
