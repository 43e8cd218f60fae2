package tenon.apps.training;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.ComputeOptions;
import tenon.apps.cli.ComputeSettings;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.apps.pictures.LabelDrawing;
import tenon.apps.pictures.PngFile;
import tenon.engine.Scope;
import tenon.engine.TenonException;
import tenon.engine.backend.Backend;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.image.ImageException;

/** {@code tenon predict}: what a trained network says about pictures. */
@Command(
        name = "predict",
        description = {
            "Classifies pictures: prints the likeliest classes and writes copies of the pictures with the label on"
                    + " them.",
            "A picture that cannot be read is reported and left out; the exit code is then 1."
        },
        footerHeading = "%nExample:%n",
        footer = "  ./tenon predict output/train cat.jpg dog.jpg --output output/predictions")
public final class PredictCommand extends TenonCommand {
    @Parameters(
            index = "0",
            paramLabel = "CHECKPOINT",
            description = "Folder of a training run or of one checkpoint, or a model file.")
    private Path checkpoint;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "PICTURE", description = "JPEG, PNG, BMP, TIFF or WebP.")
    private List<Path> pictures;

    @Option(
            names = "--output",
            paramLabel = "DIR",
            defaultValue = "output/predictions",
            description = "Where labelled pictures go. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Option(
            names = "--top",
            paramLabel = "K",
            defaultValue = "5",
            description = "Classes to print per picture. Default: ${DEFAULT-VALUE}.")
    private int top;

    @Mixin
    private ComputeOptions compute;

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        List<Map<String, Object>> results = new ArrayList<>();
        List<String> failures = new ArrayList<>();
        ComputeSettings settings = compute.settings();
        try (Backend backend = settings.open();
                Scope _ = Scope.open("model", backend)) {
            Classifier trained = SavedModel.read(checkpoint);
            trained.network().computeIn(settings.precision(backend, console));
            Classifier classifier = trained.forInference();
            for (int i = 0; i < pictures.size(); i++) {
                try {
                    results.add(predict(classifier, pictures.get(i), i, console));
                } catch (ImageException e) {
                    console.warn(e.getMessage());
                    failures.add(pictures.get(i).toString());
                }
            }
        }
        if (!failures.isEmpty()) {
            throw new TenonException(failures.size() + " of " + pictures.size() + " pictures could not be read: "
                    + String.join(", ", failures));
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("checkpoint", checkpoint.toString());
        result.put("predictions", results);
        return result;
    }

    private Map<String, Object> predict(Classifier classifier, Path file, int number, Console console)
            throws IOException {
        Image picture = ImageCodec.read(file);
        List<Classifier.Guess> guesses = classifier.guess(picture, top);
        Classifier.Guess best = guesses.getFirst();
        console.print("%s: %s", file, LabelDrawing.text(best.name(), best.probability()));
        guesses.stream()
                .skip(1)
                .forEach(guess -> console.print("    %s", LabelDrawing.text(guess.name(), guess.probability())));
        Path drawn = output.resolve(uniqueName(file, number));
        PngFile.write(
                drawn,
                LabelDrawing.draw(
                        ImageCodec.toBufferedImage(picture), LabelDrawing.text(best.name(), best.probability())));
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("picture", file.toString());
        result.put("label", best.name());
        result.put("probability", best.probability());
        result.put("drawn", drawn.toString());
        return result;
    }

    /** Pictures of one name from several folders must not overwrite each other. */
    private String uniqueName(Path file, int number) {
        String name = file.getFileName().toString().replaceFirst("\\.[^.]+$", "");
        long before = pictures.subList(0, number).stream()
                .map(other -> other.getFileName().toString().replaceFirst("\\.[^.]+$", ""))
                .filter(name::equals)
                .count();
        return name + (before == 0 ? "" : "-" + (before + 1)) + ".png";
    }
}
