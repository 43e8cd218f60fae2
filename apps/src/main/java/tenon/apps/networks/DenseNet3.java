package tenon.apps.networks;

import tenon.layers.ActivationLayer;
import tenon.layers.Dense;
import tenon.layers.Flatten;
import tenon.layers.Initializer;
import tenon.layers.Sequential;

/**
 * Input [N, …] with {@code features} values per sample (images are flattened), output logits [N, classes]: three dense layers, sigmoid after the
 * first two. 3,673,091 parameters for 3072-1024-512-3. Glorot uniform weights, zero bias, as Keras's defaults.
 */
public final class DenseNet3 extends Sequential {
    /** Hidden layers of 1024 and 512, as in the original experiment. */
    public DenseNet3(int features, int classes) {
        this(features, 1024, 512, classes, Initializer.glorotUniform());
    }

    public DenseNet3(int features, int hidden1, int hidden2, int classes, Initializer initializer) {
        add("flatten", new Flatten());
        add("fc1", new Dense(features, hidden1, true, initializer));
        add("sigmoid1", ActivationLayer.sigmoid());
        add("fc2", new Dense(hidden1, hidden2, true, initializer));
        add("sigmoid2", ActivationLayer.sigmoid());
        add("fc3", new Dense(hidden2, classes, true, initializer));
    }
}
