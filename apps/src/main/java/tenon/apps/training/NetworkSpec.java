package tenon.apps.training;

import java.util.Locale;
import tenon.apps.cli.ImageSize;
import tenon.apps.cli.UsageException;
import tenon.apps.networks.AlexNet;
import tenon.apps.networks.DenseNet3;
import tenon.apps.networks.GoogLeNet;
import tenon.apps.networks.MiniVggNet;
import tenon.apps.networks.MnistNet;
import tenon.apps.networks.NormPosition;
import tenon.apps.networks.ResNet;
import tenon.apps.networks.SmallVggNet;
import tenon.apps.networks.SqueezeNet;
import tenon.apps.networks.Vgg16;
import tenon.engine.Shape;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.Initializer;
import tenon.layers.Module;
import tenon.layers.Summary;

/**
 * A network by name and sizes: all that is needed to build it again and load weights into it. Its output is logits [N, classes].
 *
 * @param normMomentum weight of a new batch in batch norm's running averages ({@link BatchNormSpec}); networks without batch norm ignore it
 * @param multiplier of the number of filters and units of {@link AlexNet}; 1 for the other networks
 */
public record NetworkSpec(
        Kind kind, int height, int width, int channels, int classes, double normMomentum, double multiplier) {
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
        MNIST,
        ALEXNET,
        VGG16,
        GOOGLENET,
        RESNET50,
        SQUEEZENET;

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
                case ALEXNET -> AlexNet.SMALLEST_SIDE;
                case VGG16 -> Vgg16.SMALLEST_SIDE;
                case GOOGLENET -> GoogLeNet.SMALLEST_SIDE;
                case RESNET50 -> ResNet.SMALLEST_SIDE;
                case SQUEEZENET -> SqueezeNet.SMALLEST_SIDE;
            };
        }

        int largestSide() {
            return this == SQUEEZENET ? SqueezeNet.LARGEST_SIDE : Integer.MAX_VALUE;
        }

        /** The original experiment's picture. */
        public ImageSize defaultInput() {
            return switch (this) {
                case MINIVGG -> new ImageSize(32, 32, 3);
                case SMALLVGG -> new ImageSize(64, 64, 3);
                case DENSE3 -> new ImageSize(32, 32, 3);
                case MNIST -> new ImageSize(28, 28, 1);
                case ALEXNET, SQUEEZENET -> new ImageSize(227, 227, 3);
                case VGG16, GOOGLENET, RESNET50 -> new ImageSize(224, 224, 3);
            };
        }

        /** The original experiment's weight of a new batch in batch norm's running averages. */
        public double defaultNormMomentum() {
            return switch (this) {
                case MINIVGG, SMALLVGG, DENSE3, MNIST -> SLOW_NORM;
                case ALEXNET, VGG16, GOOGLENET, RESNET50, SQUEEZENET -> FAST_NORM;
            };
        }
    }

    public NetworkSpec {
        if (height < kind.smallestSide() || width < kind.smallestSide()) {
            throw new UsageException("network " + kind + " needs pictures of at least " + kind.smallestSide() + "x"
                    + kind.smallestSide() + ": given " + height + "x" + width);
        }
        if (height > kind.largestSide() || width > kind.largestSide()) {
            throw new UsageException("network " + kind + " needs pictures of at most " + kind.largestSide() + "x"
                    + kind.largestSide() + ": given " + height + "x" + width);
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
        if (!(multiplier > 0 && multiplier <= 4) || multiplier != 1 && kind != Kind.ALEXNET) {
            throw new UsageException("network " + kind + ": the width multiplier must "
                    + (kind == Kind.ALEXNET ? "lie in (0, 4]: " : "be 1, only alexnet has others: ") + multiplier);
        }
    }

    /** A network of the original number of filters. */
    public NetworkSpec(Kind kind, int height, int width, int channels, int classes, double normMomentum) {
        this(kind, height, width, channels, classes, normMomentum, 1);
    }

    /** The original experiment's network for that many classes. */
    public static NetworkSpec of(Kind kind, int classes) {
        ImageSize input = kind.defaultInput();
        return new NetworkSpec(
                kind, input.height(), input.width(), input.channels(), classes, kind.defaultNormMomentum());
    }

    /** Builds the network in the current scope; initial weights come from the thread's generator. */
    public Module build() {
        int features = height * width * channels;
        return switch (kind) {
            case MINIVGG -> new MiniVggNet(height, width, channels, classes, norm(), Initializer.glorotUniform());
            case SMALLVGG -> new SmallVggNet(height, width, channels, classes, norm(), Initializer.glorotUniform());
            case DENSE3 -> new DenseNet3(features, classes);
            case MNIST -> new MnistNet(features, 800, classes, Initializer.glorotUniform());
            case ALEXNET ->
                new AlexNet(
                        height,
                        width,
                        channels,
                        classes,
                        multiplier,
                        AlexNet.ACTIVATION,
                        NormPosition.AFTER_ACTIVATION,
                        norm(),
                        Initializer.glorotUniform());
            case VGG16 -> new Vgg16(height, width, channels, classes, Vgg16.SLOPE, norm(), Initializer.msraPrelu());
            case GOOGLENET -> new GoogLeNet(channels, classes, norm(), Initializer.glorotUniform());
            case RESNET50 -> ResNet.resNet50(channels, classes, norm(), Initializer.msraPrelu());
            case SQUEEZENET -> new SqueezeNet(height, width, channels, classes);
        };
    }

    private BatchNormSpec norm() {
        BatchNormSpec original = switch (kind) {
            case MINIVGG, SMALLVGG, DENSE3, MNIST -> BatchNormSpec.keras();
            case ALEXNET, VGG16, GOOGLENET, SQUEEZENET -> BatchNormSpec.mxnet();
            case RESNET50 -> ResNet.norm();
        };
        return original.withMomentum(normMomentum);
    }

    /** Shape of a batch: [n, H, W, C]. */
    public Shape input(int n) {
        return Shape.of(n, height, width, channels);
    }

    public Summary summary() {
        return Summary.of(this::build, input(1));
    }
}
