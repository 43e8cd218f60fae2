package tenon.apps.networks;

import tenon.layers.ActivationLayer;
import tenon.layers.Dense;
import tenon.layers.Flatten;
import tenon.layers.Initializer;
import tenon.layers.Sequential;

/**
 * Input [N, …] with {@code features} values per sample (images are flattened), output logits [N, classes]: dense → ReLU → dense. 636,010 parameters
 * for 784-800-10. Glorot uniform weights, zero bias, as Keras's defaults.
 */
public final class MnistNet extends Sequential {
    /** 784-800-10. */
    public MnistNet() {
        this(784, 800, 10, Initializer.glorotUniform());
    }

    public MnistNet(int features, int hidden, int classes, Initializer initializer) {
        add("flatten", new Flatten());
        add("fc1", new Dense(features, hidden, true, initializer));
        add("relu", ActivationLayer.relu());
        add("fc2", new Dense(hidden, classes, true, initializer));
    }
}
