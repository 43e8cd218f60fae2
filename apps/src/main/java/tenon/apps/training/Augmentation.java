package tenon.apps.training;

import java.util.List;
import java.util.Locale;
import tenon.apps.cli.ImageSize;
import tenon.engine.Rng;
import tenon.io.augment.Augmenter;
import tenon.io.augment.AugmenterChain;
import tenon.io.augment.FloatImage;
import tenon.io.augment.HorizontalFlip;
import tenon.io.augment.MxnetAffine;
import tenon.io.augment.RandomAffine;
import tenon.io.augment.RandomCrop;
import tenon.io.augment.RandomResizedCrop;
import tenon.io.data.RecordBatchSource;
import tenon.io.image.Image;

/**
 * Presets of what happens to pictures on their way into a network: how they are stored, random changes in training, the view taken in evaluation, and
 * the scaling of values. One for each case study; detectors, whose boxes move with the picture, have none.
 */
public enum Augmentation {
    NONE("any", Fit.SQUASH, Scaling.UNIT, 64, 64, 3),
    /** Mirrored left and right half of the time. */
    FLIP("quickstart; the first experiments of emotion recognition", Fit.SQUASH, Scaling.UNIT, 64, 64, 3),
    /** Mirrored half of the time and shifted by up to a fourteenth of the height (2 of 28 pixels). */
    FLIP_SHIFT("any small pictures", Fit.SQUASH, Scaling.UNIT, 32, 32, 3),
    /** What comes in at the edges repeats the edge; the shear's 0.2 is taken as radians. */
    AFFINE("first network (SmallVGGNet)", Fit.SQUASH, Scaling.UNIT, 64, 64, 3),
    ALEXNET("AlexNet on ImageNet", Fit.SHORT_SIDE, Scaling.MEAN, 227, 227, 3),
    VGG("VGG16 on ImageNet", Fit.SHORT_SIDE, Scaling.MEAN, 224, 224, 3),
    GOOGLENET("GoogLeNet on ImageNet", Fit.SHORT_SIDE, Scaling.MEAN, 224, 224, 3),
    RESNET("ResNet-50 on ImageNet", Fit.SHORT_SIDE, Scaling.MEAN, 224, 224, 3),
    SQUEEZENET("SqueezeNet on ImageNet", Fit.SHORT_SIDE, Scaling.MEAN, 227, 227, 3),
    /** The published ImageNet runs asked for a random turn and got a fixed one: MXNet's {@code rotate=15} turns every image by 15°. */
    IMAGENET_FIXED("ImageNet as MXNet in fact ran it", Fit.SHORT_SIDE, Scaling.MEAN, 227, 227, 3),
    RESIZED_CROP("ImageNet as PyTorch's examples do", Fit.SHORT_SIDE, Scaling.IMAGENET, 224, 224, 3),
    EMOTION("emotion recognition, the later experiments", Fit.SQUASH, Scaling.UNIT, 48, 48, 1),
    ORIENTATION("image orientation: features of VGG16", Fit.SQUASH, Scaling.VGG_MEAN, 224, 224, 3),
    VEHICLES("vehicle identification", Fit.SHORT_SIDE, Scaling.VGG_MEAN, 224, 224, 3),
    AGE_GENDER("age and gender", Fit.SHORT_SIDE, Scaling.MEAN, 227, 227, 3),
    MOBILENET("MobileNet", Fit.SQUASH, Scaling.SYMMETRIC, 224, 224, 3),
    CIFAR("CIFAR-10 network", Fit.SQUASH, Scaling.UNIT, 32, 32, 3),
    DOGS_CATS("dogs and cats: AlexNet", Fit.SQUARE, Scaling.MEAN, 227, 227, 3),
    DOGS_CATS_FEATURES("dogs and cats: features of ResNet-50", Fit.SQUASH, Scaling.VGG_MEAN, 224, 224, 3);

    private final String study;
    private final Fit fit;
    private final Scaling scaling;
    private final ImageSize input;

    Augmentation(String study, Fit fit, Scaling scaling, int height, int width, int channels) {
        this.study = study;
        this.fit = fit;
        this.scaling = scaling;
        input = new ImageSize(height, width, channels);
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The case study that the settings come from. */
    public String study() {
        return study;
    }

    public Fit fit() {
        return fit;
    }

    public Scaling scaling() {
        return scaling;
    }

    /** The case study's input. */
    public ImageSize input() {
        return input;
    }

    /** From a stored picture to a training sample of the given size, values 0…255. */
    public List<Augmenter> training(int height, int width) {
        return switch (this) {
            case NONE, ORIENTATION, MOBILENET, CIFAR, DOGS_CATS_FEATURES -> List.of();
            case FLIP -> List.of(new HorizontalFlip());
            case FLIP_SHIFT -> List.of(new HorizontalFlip(), new RandomCrop(height, width, Math.max(1, height / 14)));
            case AFFINE -> List.of(affine(30, 0.1, 0.2, 0.2));
            case EMOTION -> List.of(affine(10, 0, 0, 0.1));
            case ALEXNET, VGG, GOOGLENET, RESNET, SQUEEZENET, VEHICLES ->
                mxnet(MxnetAffine.random(15, 0.1), height, width);
            case IMAGENET_FIXED -> mxnet(MxnetAffine.fixed(15, 0.1), height, width);
            case AGE_GENDER -> mxnet(MxnetAffine.random(7, 0), height, width);
            case RESIZED_CROP -> List.of(new RandomResizedCrop(height, width), new HorizontalFlip());
            // The original subtracts the mean in between, which changes nothing: what comes in at the edges repeats the
            // edge.
            case DOGS_CATS -> List.of(new RandomCrop(height, width), affine(20, 0.2, 0.15, 0.15));
        };
    }

    private static RandomAffine affine(double degrees, double shift, double shear, double zoom) {
        return RandomAffine.NOTHING
                .rotation(degrees)
                .shift(shift)
                .shear(shear)
                .zoom(zoom)
                .flip(0.5);
    }

    private static List<Augmenter> mxnet(MxnetAffine affine, int height, int width) {
        return List.of(affine, new RandomCrop(height, width), new HorizontalFlip());
    }

    /** From a stored picture to what evaluation sees, values 0…255. */
    public List<Augmenter> evaluation(int height, int width) {
        return fit.view(height, width);
    }

    /** Sets a source of stored pictures up to give training samples of the given size. */
    RecordBatchSource.Builder train(RecordBatchSource.Builder source, int height, int width) {
        return through(source, training(height, width), height, width);
    }

    /** Sets a source of stored pictures up to give what evaluation sees. */
    RecordBatchSource.Builder evaluate(RecordBatchSource.Builder source, int height, int width) {
        return through(source, evaluation(height, width), height, width);
    }

    private RecordBatchSource.Builder through(
            RecordBatchSource.Builder source, List<Augmenter> augmenters, int height, int width) {
        if (fit == Fit.SQUASH) {
            source.resize(height, width);
        }
        augmenters.forEach(source::augment);
        return source;
    }

    /** A picture of any size as evaluation sees it, values 0…255. */
    public FloatImage view(Image picture, int height, int width) {
        FloatImage stored = FloatImage.of(fit.store(picture, height, width));
        return new AugmenterChain(evaluation(height, width)).apply(stored, new Rng(0, 0, 0));
    }
}
