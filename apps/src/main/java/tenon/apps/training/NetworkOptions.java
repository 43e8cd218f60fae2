package tenon.apps.training;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;
import tenon.apps.cli.ImageSize;
import tenon.apps.cli.OptionSection;
import tenon.apps.cli.UsageException;
import tenon.apps.networks.Nonlinearity;
import tenon.apps.networks.NormPosition;
import tenon.apps.networks.ResNet;

/** Options of commands that build a network: its width, and how it differs from the original. */
@OptionSection("Network")
public final class NetworkOptions {
    @Option(
            names = "--width-multiplier",
            paramLabel = "M",
            description = "Filters and units per layer as a share of the original's, for networks from alexnet on."
                    + " Default: 1, or the experiment's.")
    private Double multiplier;

    @Option(
            names = "--activation",
            paramLabel = "NAME",
            converter = NonlinearityConverter.class,
            description = "Of alexnet, vgg16, squeezenet and the mobilenets: relu, relu6, leaky-relu:SLOPE, elu:ALPHA,"
                    + " sigmoid, tanh; of alexnet and vgg16 also prelu:SLOPE (default: as in the original experiment).")
    private Nonlinearity activation;

    @Option(
            names = "--batch-norm",
            paramLabel = "PLACE",
            description = "Of alexnet, vgg16 and squeezenet, one of ${COMPLETION-CANDIDATES}; squeezenet knows the last"
                    + " two (default: as in the original experiment).")
    private NormPosition norm;

    @Option(
            names = "--norm-epsilon",
            paramLabel = "E",
            description = "Of batch norm (default: as in the original experiment).")
    private Double epsilon;

    @Option(
            names = "--residuals",
            paramLabel = "DESIGN",
            description = "Of the resnets, one of ${COMPLETION-CANDIDATES} (default: pre-activation).")
    private ResNet.Design design;

    @Option(
            names = "--global-average",
            description =
                    "Of squeezenet: its last average takes maps of any size, so that pictures need not be 227x227.")
    private boolean globalAverage;

    @Option(
            names = "--symmetric-padding",
            description = "Of the mobilenets: pad all four sides alike, as PyTorch's weights want it.")
    private boolean symmetricPadding;

    @Option(
            names = "--small-stem",
            description =
                    "Of the resnets and mobilenets, for pictures of about 32x32: the first convolution has stride 1,"
                            + " in resnets it is 3x3 and no pooling follows.")
    private boolean smallStem;

    @Option(
            names = "--learned-gamma",
            description =
                    "Of alexnet, vgg16, googlenet, squeezenet with batch norm, and the input of the resnets: learn"
                            + " batch norm's gamma, which is 1 in the original experiments.")
    private boolean learnedGamma;

    /** @param normMomentum see {@link NetworkSpec} */
    NetworkSpec spec(NetworkSpec.Kind kind, ImageSize input, int classes, double normMomentum) {
        return spec(kind, input, classes, normMomentum, 1, null);
    }

    /**
     * @param normMomentum see {@link NetworkSpec}
     * @param width the multiplier where none is given
     * @param decided the variant, where something else than these options says it, but for what pictures of another size need; else null
     */
    NetworkSpec spec(
            NetworkSpec.Kind kind,
            ImageSize input,
            int classes,
            double normMomentum,
            double width,
            NetworkVariant decided) {
        NetworkVariant own = variant();
        if (decided != null && !own.equals(own.ofPictureSize())) {
            throw new UsageException("--experiment says how the network differs from the original: leave --activation,"
                    + " --batch-norm and the like away");
        }
        return new NetworkSpec(
                kind,
                input.height(),
                input.width(),
                input.channels(),
                classes,
                normMomentum,
                multiplier != null ? multiplier : width,
                decided != null ? own.over(decided) : own);
    }

    public double multiplier() {
        return multiplier != null ? multiplier : 1;
    }

    /** What was given; null where nothing was. */
    public NetworkVariant variant() {
        return new NetworkVariant(
                activation,
                norm,
                epsilon,
                design,
                globalAverage ? true : null,
                symmetricPadding ? true : null,
                smallStem ? true : null,
                learnedGamma ? true : null);
    }

    private static final class NonlinearityConverter implements ITypeConverter<Nonlinearity> {
        @Override
        public Nonlinearity convert(String text) {
            try {
                return Nonlinearity.parse(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }
}
