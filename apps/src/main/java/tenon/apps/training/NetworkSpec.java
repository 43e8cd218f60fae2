package tenon.apps.training;

import java.util.Locale;
import java.util.Set;
import tenon.apps.cli.ImageSize;
import tenon.apps.cli.UsageException;
import tenon.apps.networks.AlexNet;
import tenon.apps.networks.CifarNet;
import tenon.apps.networks.DenseNet3;
import tenon.apps.networks.GoogLeNet;
import tenon.apps.networks.MiniVggNet;
import tenon.apps.networks.MnistNet;
import tenon.apps.networks.MobileNetV1;
import tenon.apps.networks.MobileNetV2;
import tenon.apps.networks.Nonlinearity;
import tenon.apps.networks.NormPosition;
import tenon.apps.networks.ResNet;
import tenon.apps.networks.SmallVggNet;
import tenon.apps.networks.SqueezeNet;
import tenon.apps.networks.UnitStyle;
import tenon.apps.networks.Vgg16;
import tenon.engine.Shape;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.Initializer;
import tenon.layers.Module;
import tenon.layers.Summary;

/**
 * A network by name, sizes and variant: all that is needed to build it again and load weights into it. Its output is logits [N, classes].
 *
 * @param normMomentum weight of a new batch in batch norm's running averages ({@link BatchNormSpec}); networks without batch norm ignore it
 * @param multiplier of the number of filters and units, for networks that can be widened; 1 for the others
 * @param variant null is {@link NetworkVariant#ORIGINAL}
 */
public record NetworkSpec(
        Kind kind,
        int height,
        int width,
        int channels,
        int classes,
        double normMomentum,
        double multiplier,
        NetworkVariant variant) {
    /** Keras's averages, as in the original experiments: slow, so that validation lags behind in the first few hundred updates. */
    public static final double SLOW_NORM = BatchNormSpec.keras().momentum();
    /** PyTorch's averages. */
    public static final double FAST_NORM = BatchNormSpec.defaults().momentum();

    /** Networks that the command line knows, typed as {@code minivgg}, {@code mobilenet-v1} and so on. */
    public enum Kind {
        /** Two blocks of two convolutions, a dense layer of 512. */
        MINIVGG,
        /** Three blocks of one, two and three convolutions, a dense layer of 512. */
        SMALLVGG,
        /** Dense layers of 1024 and 512 with sigmoids. */
        DENSE3,
        /** A dense layer of 800 with ReLU. */
        MNIST,
        /** Five convolutions, dense layers of 1024, 512 and 256. */
        CIFAR10_CNN,
        ALEXNET,
        /** AlexNet as it was trained on dogs and cats. */
        ALEXNET_DOGS_CATS,
        VGG16,
        GOOGLENET,
        RESNET18,
        RESNET34,
        RESNET50,
        RESNET101,
        RESNET152,
        SQUEEZENET,
        MOBILENET_V1,
        MOBILENET_V2;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        /** Height and width must be at least this, for every pooling to have something to pool. */
        int smallestSide(NetworkVariant variant) {
            boolean smallStem = variant.smallStem() == Boolean.TRUE;
            return switch (this) {
                case MINIVGG -> 4;
                case SMALLVGG -> 8;
                case DENSE3, MNIST -> 1;
                case CIFAR10_CNN -> CifarNet.SMALLEST_SIDE;
                case ALEXNET -> AlexNet.SMALLEST_SIDE;
                case ALEXNET_DOGS_CATS -> AlexNet.SMALLEST_PADDED_SIDE;
                case VGG16 -> Vgg16.SMALLEST_SIDE;
                case GOOGLENET -> GoogLeNet.SMALLEST_SIDE;
                case RESNET18, RESNET34, RESNET50, RESNET101, RESNET152 ->
                    smallStem ? ResNet.SMALLEST_SIDE_FOR_SMALL_STEM : ResNet.SMALLEST_SIDE;
                case SQUEEZENET ->
                    variant.globalAverage() == Boolean.TRUE
                            ? SqueezeNet.SMALLEST_SIDE_FOR_WHOLE_MAP
                            : SqueezeNet.SMALLEST_SIDE;
                case MOBILENET_V1 -> smallStem ? MobileNetV1.SMALLEST_SIDE_FOR_SMALL_STEM : MobileNetV1.SMALLEST_SIDE;
                case MOBILENET_V2 -> smallStem ? MobileNetV2.SMALLEST_SIDE_FOR_SMALL_STEM : MobileNetV2.SMALLEST_SIDE;
            };
        }

        int largestSide(NetworkVariant variant) {
            return this == SQUEEZENET && variant.globalAverage() != Boolean.TRUE
                    ? SqueezeNet.LARGEST_SIDE
                    : Integer.MAX_VALUE;
        }

        /** The original experiment's picture. */
        public ImageSize defaultInput() {
            return switch (this) {
                case MINIVGG, CIFAR10_CNN -> new ImageSize(32, 32, 3);
                case SMALLVGG -> new ImageSize(64, 64, 3);
                case DENSE3 -> new ImageSize(32, 32, 3);
                case MNIST -> new ImageSize(28, 28, 1);
                case ALEXNET, ALEXNET_DOGS_CATS, SQUEEZENET -> new ImageSize(227, 227, 3);
                case VGG16, GOOGLENET, RESNET18, RESNET34, RESNET50, RESNET101, RESNET152, MOBILENET_V1, MOBILENET_V2 ->
                    new ImageSize(224, 224, 3);
            };
        }

        /** The original experiment's weight of a new batch in batch norm's running averages. */
        public double defaultNormMomentum() {
            return norm().momentum();
        }

        private BatchNormSpec norm() {
            return switch (this) {
                case MINIVGG, SMALLVGG, DENSE3, MNIST, CIFAR10_CNN, ALEXNET_DOGS_CATS, MOBILENET_V1, MOBILENET_V2 ->
                    BatchNormSpec.keras();
                case ALEXNET, VGG16, GOOGLENET, SQUEEZENET -> BatchNormSpec.mxnet();
                case RESNET18, RESNET34, RESNET50, RESNET101, RESNET152 -> ResNet.norm();
            };
        }

        /** The original's, for the networks that let one choose. */
        private Nonlinearity activation() {
            return switch (this) {
                case ALEXNET -> AlexNet.style().activation();
                case VGG16 -> Vgg16.style().activation();
                case SQUEEZENET -> Nonlinearity.elu(0.25);
                case MOBILENET_V1, MOBILENET_V2 -> Nonlinearity.RELU6;
                default -> Nonlinearity.RELU;
            };
        }

        /** Paper's number of layers with weights. */
        private int depth() {
            return Integer.parseInt(name().substring("RESNET".length()));
        }
    }

    private static final Set<Kind> RESNETS =
            Set.of(Kind.RESNET18, Kind.RESNET34, Kind.RESNET50, Kind.RESNET101, Kind.RESNET152);
    private static final Set<Kind> MOBILENETS = Set.of(Kind.MOBILENET_V1, Kind.MOBILENET_V2);
    private static final Set<Kind> FIXED_WIDTH =
            Set.of(Kind.MINIVGG, Kind.SMALLVGG, Kind.DENSE3, Kind.MNIST, Kind.CIFAR10_CNN);
    /** {@link AlexNet} and {@link Vgg16}. */
    private static final Set<Kind> STYLED = Set.of(Kind.ALEXNET, Kind.ALEXNET_DOGS_CATS, Kind.VGG16);

    public NetworkSpec {
        // Runs of before networks had variants.
        variant = variant == null ? NetworkVariant.ORIGINAL : variant;
        checkVariant(kind, variant);
        int smallest = kind.smallestSide(variant);
        int largest = kind.largestSide(variant);
        if (height < smallest || width < smallest) {
            throw new UsageException("network " + kind + " needs pictures of at least " + smallest + "x" + smallest
                    + ": given " + height + "x" + width);
        }
        if (height > largest || width > largest) {
            throw new UsageException("network " + kind + " needs pictures of at most " + largest + "x" + largest
                    + ": given " + height + "x" + width);
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
        boolean fixed = FIXED_WIDTH.contains(kind);
        if (!(multiplier > 0 && multiplier <= 4) || multiplier != 1 && fixed) {
            throw new UsageException("network " + kind + ": the width multiplier must "
                    + (fixed ? "be 1, it has one width only: " : "lie in (0, 4]: ") + multiplier);
        }
    }

    private static void checkVariant(Kind kind, NetworkVariant variant) {
        boolean prelu = variant.activation() != null && variant.activation().kind() == Nonlinearity.Kind.PRELU;
        boolean activation = STYLED.contains(kind) || !prelu && (kind == Kind.SQUEEZENET || MOBILENETS.contains(kind));
        require(activation, kind, "activation", variant.activation());
        boolean position =
                STYLED.contains(kind) || kind == Kind.SQUEEZENET && variant.norm() != NormPosition.BEFORE_ACTIVATION;
        require(position, kind, "position of batch norm", variant.norm());
        boolean norm = kind != Kind.DENSE3 && kind != Kind.MNIST && kind != Kind.CIFAR10_CNN;
        require(norm, kind, "epsilon of batch norm", variant.epsilon());
        require(RESNETS.contains(kind), kind, "residual design", variant.design());
        require(kind == Kind.SQUEEZENET, kind, "kind of last average", variant.globalAverage());
        require(MOBILENETS.contains(kind), kind, "kind of padding", variant.symmetricPadding());
        require(RESNETS.contains(kind) || MOBILENETS.contains(kind), kind, "small stem", variant.smallStem());
        require(keepsGamma(kind, variant), kind, "gamma", variant.learnedGamma());
    }

    /** Whether there are batch norms whose gamma is 1 in the original. */
    private static boolean keepsGamma(Kind kind, NetworkVariant variant) {
        if (RESNETS.contains(kind)) {
            return design(variant).normalizesInput();
        }
        boolean normalized = kind == Kind.SQUEEZENET
                ? variant.norm() == NormPosition.AFTER_ACTIVATION
                : variant.norm() != NormPosition.NONE;
        return normalized && kind.norm().frozenGamma();
    }

    private static ResNet.Design design(NetworkVariant variant) {
        return variant.design() != null ? variant.design() : ResNet.Design.PRE_ACTIVATION;
    }

    private static void require(boolean possible, Kind kind, String what, Object chosen) {
        if (chosen != null && !possible) {
            throw new UsageException("network " + kind + " has no such " + what + " to choose: " + chosen);
        }
    }

    /** The original's width and variant. */
    public NetworkSpec(Kind kind, int height, int width, int channels, int classes, double normMomentum) {
        this(kind, height, width, channels, classes, normMomentum, 1, NetworkVariant.ORIGINAL);
    }

    /** The original experiment's network for that many classes. */
    public static NetworkSpec of(Kind kind, int classes) {
        return of(kind, classes, NetworkVariant.ORIGINAL);
    }

    /** On the original experiment's pictures. */
    public static NetworkSpec of(Kind kind, int classes, NetworkVariant variant) {
        ImageSize input = kind.defaultInput();
        return new NetworkSpec(
                kind, input.height(), input.width(), input.channels(), classes, kind.defaultNormMomentum(), 1, variant);
    }

    /** The picture that it takes. */
    public ImageSize picture() {
        return new ImageSize(height, width, channels);
    }

    /** Builds the network in the current scope; initial weights come from the thread's generator. */
    public Module build() {
        int features = height * width * channels;
        Initializer glorot = Initializer.glorotUniform();
        return switch (kind) {
            case MINIVGG -> new MiniVggNet(height, width, channels, classes, norm(), glorot);
            case SMALLVGG -> new SmallVggNet(height, width, channels, classes, norm(), glorot);
            case DENSE3 -> new DenseNet3(features, classes);
            case MNIST -> new MnistNet(features, 800, classes, glorot);
            case CIFAR10_CNN -> new CifarNet(height, width, channels, classes);
            case ALEXNET -> new AlexNet(height, width, channels, classes, multiplier, false, style(AlexNet.style()));
            case ALEXNET_DOGS_CATS ->
                new AlexNet(height, width, channels, classes, multiplier, true, style(AlexNet.dogsVsCatsStyle()));
            case VGG16 ->
                new Vgg16(height, width, channels, classes, multiplier, Vgg16.POOL_DROPOUT, style(Vgg16.style()));
            case GOOGLENET -> new GoogLeNet(channels, classes, multiplier, norm(), glorot);
            case RESNET18, RESNET34, RESNET50, RESNET101, RESNET152 -> resNet();
            case SQUEEZENET -> squeezeNet();
            case MOBILENET_V1 ->
                new MobileNetV1(
                        channels,
                        classes,
                        multiplier,
                        smallStem() ? 1 : 2,
                        samePadding(),
                        MobileNetV1.DROPOUT,
                        activation().activation(),
                        norm(),
                        glorot);
            case MOBILENET_V2 ->
                new MobileNetV2(
                        channels,
                        classes,
                        multiplier,
                        smallStem() ? 1 : 2,
                        samePadding(),
                        MobileNetV2.DROPOUT,
                        activation().activation(),
                        norm(),
                        glorot);
        };
    }

    private Module resNet() {
        ResNet.Stem stem = smallStem() ? ResNet.Stem.SMALL : ResNet.Stem.IMAGENET;
        return ResNet.of(
                kind.depth(),
                channels,
                classes,
                multiplier,
                stem,
                design(variant),
                variant.learnedGamma() == Boolean.TRUE,
                norm(),
                Initializer.msraPrelu());
    }

    private Module squeezeNet() {
        boolean normalized = variant.norm() == NormPosition.AFTER_ACTIVATION;
        return new SqueezeNet(
                height,
                width,
                channels,
                classes,
                multiplier,
                variant.globalAverage() == Boolean.TRUE ? SqueezeNet.WHOLE_MAP : SqueezeNet.LAST_SIDE,
                activation().activation(),
                normalized ? norm() : null,
                Initializer.glorotUniform());
    }

    private UnitStyle style(UnitStyle original) {
        NormPosition position = variant.norm() != null ? variant.norm() : original.position();
        return new UnitStyle(activation(), position, norm(), original.initializer());
    }

    private Nonlinearity activation() {
        return variant.activation() != null ? variant.activation() : kind.activation();
    }

    private boolean samePadding() {
        return variant.symmetricPadding() != Boolean.TRUE;
    }

    private boolean smallStem() {
        return variant.smallStem() == Boolean.TRUE;
    }

    private BatchNormSpec norm() {
        BatchNormSpec original = kind.norm();
        double epsilon = variant.epsilon() != null ? variant.epsilon() : original.epsilon();
        return new BatchNormSpec(
                epsilon,
                normMomentum,
                original.frozenGamma() && variant.learnedGamma() != Boolean.TRUE,
                original.unbiasedRunningVariance(),
                Activation.NONE);
    }

    /** Shape of a batch: [n, H, W, C]. */
    public Shape input(int n) {
        return Shape.of(n, height, width, channels);
    }

    public Summary summary() {
        return Summary.of(this::build, input(1));
    }
}
