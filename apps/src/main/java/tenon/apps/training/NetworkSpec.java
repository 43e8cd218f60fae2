package tenon.apps.training;

import java.util.Locale;
import tenon.apps.cli.UsageException;
import tenon.apps.networks.DenseNet3;
import tenon.apps.networks.MiniVggNet;
import tenon.apps.networks.MnistNet;
import tenon.apps.networks.SmallVggNet;
import tenon.engine.Shape;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.Initializer;
import tenon.layers.Module;
import tenon.layers.Summary;

/**
 * A network by name and sizes: all that is needed to build it again and load weights into it. Its output is logits [N, classes].
 *
 * @param normMomentum weight of a new batch in batch norm's running averages ({@link BatchNormSpec}); networks without batch norm ignore it
 */
public record NetworkSpec(Kind kind, int height, int width, int channels, int classes, double normMomentum) {
    /** Keras's averages, as in the original experiments: slow, so that validation lags behind in the first few hundred updates. */
    public static final double SLOW_NORM = BatchNormSpec.keras().momentum();
    /** PyTorch's averages. */
    public static final double FAST_NORM = BatchNormSpec.defaults().momentum();

    /** Networks that the command line knows, typed as {@code minivgg} and so on. */
    public enum Kind {
        /** Two blocks of two convolutions, a dense layer of 512. */
        MINIVGG,
        /** Three blocks of one, two and three convolutions, a dense layer of 512. */
        SMALLVGG,
        /** Dense layers of 1024 and 512 with sigmoids. */
        DENSE3,
        /** A dense layer of 800 with ReLU. */
        MNIST;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** Height and width must be at least this, for every pooling to have something to pool. */
        int smallestSide() {
            return switch (this) {
                case MINIVGG -> 4;
                case SMALLVGG -> 8;
                case DENSE3, MNIST -> 1;
            };
        }
    }

    public NetworkSpec {
        if (height < kind.smallestSide() || width < kind.smallestSide()) {
            throw new UsageException("network " + kind + " needs pictures of at least " + kind.smallestSide() + "x"
                    + kind.smallestSide() + ": given " + height + "x" + width);
        }
        if (channels != 1 && channels != 3) {
            throw new UsageException("network " + kind + ": channels must be 1 (grey) or 3 (colour): " + channels);
        }
        if (classes < 2) {
            throw new UsageException("network " + kind + " needs at least 2 classes: " + classes);
        }
        if (!(normMomentum > 0 && normMomentum <= 1)) {
            throw new UsageException("network " + kind + ": batch norm's momentum must lie in (0, 1]: " + normMomentum);
        }
    }

    /** Builds the network in the current scope; initial weights come from the thread's generator. */
    public Module build() {
        int features = height * width * channels;
        return switch (kind) {
            case MINIVGG -> new MiniVggNet(height, width, channels, classes, norm(), Initializer.glorotUniform());
            case SMALLVGG -> new SmallVggNet(height, width, channels, classes, norm(), Initializer.glorotUniform());
            case DENSE3 -> new DenseNet3(features, classes);
            case MNIST -> new MnistNet(features, 800, classes, Initializer.glorotUniform());
        };
    }

    private BatchNormSpec norm() {
        BatchNormSpec keras = BatchNormSpec.keras();
        return new BatchNormSpec(
                keras.epsilon(),
                normMomentum,
                keras.frozenGamma(),
                keras.unbiasedRunningVariance(),
                keras.activation());
    }

    /** Shape of a batch: [n, H, W, C]. */
    public Shape input(int n) {
        return Shape.of(n, height, width, channels);
    }

    public Summary summary() {
        return Summary.of(this::build, input(1));
    }
}
