package tenon.apps.firstnetwork;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tenon.apps.cli.ComputeOptions;
import tenon.apps.cli.ComputeSettings;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.apps.pictures.LabelDrawing;
import tenon.apps.pictures.PngFile;
import tenon.apps.training.Classifier;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.Prediction;
import tenon.apps.training.SavedModel;
import tenon.engine.Scope;
import tenon.engine.TenonException;
import tenon.engine.backend.Backend;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;

/**
 * {@code tenon first-network predict}: one picture, one answer. The original shows the labelled picture in a window; this writes it to a file.
 */
@Command(
        name = "predict",
        description = {
            "Classifies one picture with a network of train-simple-nn or train-vgg and writes a copy with the label on"
                    + " it.",
            "Width and height must be those the network was trained with: 32 and --flatten 1 for the simple network,"
                    + " 64 for VGG."
        },
        footerHeading = "%nExample:%n",
        footer = {
            "  ./tenon first-network predict -i images/cat.jpg -m output/simple_nn.model \\",
            "      -l output/simple_nn_lb.json -w 32 -e 32 -f 1"
        })
public final class PredictCommand extends TenonCommand {
    @Option(
            names = {"-i", "--image"},
            required = true,
            paramLabel = "PICTURE",
            description = "Picture to classify.")
    private Path image;

    @Option(
            names = {"-m", "--model"},
            required = true,
            paramLabel = "FILE",
            description = "Trained network.")
    private Path model;

    @Option(
            names = {"-l", "--label-bin"},
            required = true,
            paramLabel = "FILE",
            description = "Its class names.")
    private Path labels;

    @Option(
            names = {"-w", "--width"},
            paramLabel = "N",
            defaultValue = "28",
            description = "Width of the network's input. Default: ${DEFAULT-VALUE}.")
    private int width;

    @Option(
            names = {"-e", "--height"},
            paramLabel = "N",
            defaultValue = "28",
            description = "Height of the network's input. Default: ${DEFAULT-VALUE}.")
    private int height;

    @Option(
            names = {"-f", "--flatten"},
            paramLabel = "N",
            defaultValue = "-1",
            description = "Above 0: feed the picture as one row of numbers. Default: ${DEFAULT-VALUE}.")
    private int flatten;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "PNG",
            description = "Labelled copy (default: predicted-NAME.png in the current folder).")
    private Path output;

    @Mixin
    private ComputeOptions compute;

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        ComputeSettings settings = compute.settingsOfOneDevice();
        Image picture = ImageCodec.read(image);
        console.print("[INFO] loading network and label binarizer...");
        List<String> classes = LabelFile.read(labels).classes();
        Prediction guess;
        try (Backend backend = settings.open();
                Scope _ = Scope.open("model", backend)) {
            Classifier classifier = SavedModel.read(model);
            classifier.network().computeIn(settings.precision(backend, console));
            checkFits(classifier.spec(), classes);
            guess = new Classifier(
                            classifier.spec(),
                            classifier.network(),
                            classifier.normalization(),
                            classifier.augmentation(),
                            classes)
                    .guess(picture, 1)
                    .getFirst();
        }
        String text = LabelDrawing.text(guess.name(), guess.probability());
        console.print(text);
        Path target = output != null ? output : Path.of("predicted-" + stem(image) + ".png");
        PngFile.write(target, LabelDrawing.draw(ImageCodec.toBufferedImage(picture), text));
        console.print("Labelled picture: %s", target);
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("label", guess.name());
        result.put("probability", guess.probability());
        result.put("picture", target.toString());
        return result;
    }

    private void checkFits(NetworkSpec spec, List<String> classes) {
        boolean dense = spec.kind() == NetworkSpec.Kind.DENSE3 || spec.kind() == NetworkSpec.Kind.MNIST;
        String given = "--width " + width + " --height " + height + " --flatten " + flatten;
        if (width != spec.width() || height != spec.height() || dense != flatten > 0) {
            throw new UsageException(
                    "the network in " + model + " takes " + (dense ? "flattened " : "") + "pictures of width "
                            + spec.width() + " and height " + spec.height() + ": given " + given + " (say --width "
                            + spec.width()
                            + " --height " + spec.height() + (dense ? " --flatten 1)" : " without --flatten)"));
        }
        if (classes.size() != spec.classes()) {
            throw new TenonException("label file " + labels + " names " + classes.size() + " classes, the network in "
                    + model + " tells " + spec.classes() + " apart (is it the label file of another network?)");
        }
    }

    private static String stem(Path file) {
        return file.getFileName().toString().replaceFirst("\\.[^.]+$", "");
    }
}
