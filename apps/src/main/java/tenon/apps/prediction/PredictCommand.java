package tenon.apps.prediction;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.ComputeOptions;
import tenon.apps.cli.Console;
import tenon.apps.cli.FailedCommand;
import tenon.apps.cli.ProgressBar;
import tenon.apps.cli.TenonCommand;
import tenon.apps.pictures.Fonts;
import tenon.apps.pictures.LabelDrawing;
import tenon.apps.pictures.PngFile;
import tenon.apps.pictures.PredictionBars;
import tenon.apps.training.Prediction;
import tenon.apps.training.PredictionCsv;
import tenon.apps.training.Views;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.image.ImageException;

/** {@code tenon predict}: what a trained network says about pictures. */
@Command(
        name = "predict",
        description = {
            "Classifies pictures: prints the likeliest classes, and writes copies of the pictures with bars of the"
                    + " probabilities beside them.",
            "A picture that cannot be read is reported and left out; the exit code is then 1. With --json there is a"
                    + " line of JSON for each picture, and a last one for all."
        },
        footerHeading = "%nExample:%n",
        footer = {
            "  ./tenon predict output/train cat.jpg dog.jpg --output output/predictions",
            "  ./tenon predict output/train photos --recursive --no-pictures --csv all.csv"
        })
public final class PredictCommand extends TenonCommand {
    /** From so many pictures on there is a progress bar. */
    private static final int MANY = 20;

    private static final int NAMED_FAILURES = 10;

    @Parameters(
            index = "0",
            paramLabel = "CHECKPOINT",
            description = "Folder of a training run or of one checkpoint, or a model file.")
    private Path checkpoint;

    @Parameters(
            index = "1..*",
            arity = "1..*",
            paramLabel = "PICTURE",
            description = "JPEG, PNG, BMP, TIFF or WebP, or a folder of them.")
    private List<Path> pictures;

    @Option(
            names = {"-r", "--recursive"},
            description = "Look into the folders in folders, too.")
    private boolean recursive;

    @Option(
            names = "--output",
            paramLabel = "DIR",
            defaultValue = "output/predictions",
            description = "Where pictures with bars go. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Option(names = "--no-pictures", description = "Write no pictures.")
    private boolean noPictures;

    @Option(
            names = "--csv",
            paramLabel = "FILE",
            description = "Also write a table: picture, the likeliest classes and their probabilities.")
    private Path csv;

    @Option(
            names = "--top",
            paramLabel = "K",
            defaultValue = "5",
            description = "Classes to print, draw and write per picture. Default: ${DEFAULT-VALUE}.")
    private int top;

    @Option(
            names = "--crops",
            paramLabel = "N",
            defaultValue = "1",
            description = "Views of each picture whose probabilities are averaged: 1; 5, the corners and the centre; or"
                    + " 10, these and their mirror images. Default: ${DEFAULT-VALUE}.")
    private int crops;

    @Option(
            names = "--resize",
            paramLabel = "N",
            description = "Scale pictures so that their shorter side is N, then crop (default: as for training).")
    private Integer resize;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "4",
            description = "Pictures to compute together. Default: ${DEFAULT-VALUE}.")
    private int batch;

    @Mixin
    private ComputeOptions compute;

    private boolean drawing;

    /**
     * What came of one picture.
     *
     * @param problem why it could not be read, or null
     */
    private record Outcome(PictureList.Entry picture, List<Prediction> predictions, String problem) {}

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        PredictorOptions options =
                new PredictorOptions(compute.settingsOfOneDevice(), new Views(crops, resize), top, batch);
        List<PictureList.Entry> entries = PictureList.of(pictures, recursive, output);
        drawing = !noPictures;
        if (drawing && !Fonts.available()) {
            console.warn("no pictures drawn: no fonts on this machine (./tenon doctor says what to install)");
            drawing = false;
        }
        List<String> failures = new ArrayList<>();
        try (Predictor predictor =
                Predictor.open(checkpoint, options.withBatch(Math.min(batch, entries.size())), console::warn)) {
            PredictionCsv table = new PredictionCsv(
                    List.of("picture"), Math.min(top, predictor.classNames().size()));
            predictAll(predictor, entries, console, outcome -> {
                report(outcome, console);
                if (outcome.problem() == null) {
                    table.add(List.of(outcome.picture().file().toString()), outcome.predictions());
                } else {
                    failures.add(outcome.picture().file().toString());
                }
            });
            if (csv != null) {
                table.write(csv);
            }
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("checkpoint", checkpoint.toString());
        result.put("pictures", entries.size());
        result.put("failed", failures.size());
        result.put("output", drawing ? output.toString() : null);
        result.put("csv", csv == null ? null : csv.toString());
        if (!failures.isEmpty()) {
            String more = failures.size() > NAMED_FAILURES ? " and more" : "";
            throw new FailedCommand(
                    failures.size() + " of " + entries.size() + " pictures could not be read: "
                            + String.join(", ", failures.subList(0, Math.min(NAMED_FAILURES, failures.size()))) + more,
                    result);
        }
        return result;
    }

    /** Takes what comes of each picture, in their order. */
    private interface Sink {
        void take(Outcome outcome);
    }

    /** Reads and draws on many threads, so that batches are full; what waits is bounded. */
    private void predictAll(Predictor predictor, List<PictureList.Entry> entries, Console console, Sink sink) {
        int ahead = 2 * batch + Runtime.getRuntime().availableProcessors();
        ProgressBar bar =
                entries.size() > MANY && !wantsJson() ? new ProgressBar(console, entries.size(), "pictures") : null;
        ArrayDeque<Future<Outcome>> underWay = new ArrayDeque<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            int begun = 0;
            for (int done = 0; done < entries.size(); done++) {
                while (begun < entries.size() && underWay.size() < ahead) {
                    PictureList.Entry entry = entries.get(begun++);
                    underWay.add(threads.submit(() -> predict(predictor, entry)));
                }
                sink.take(Futures.await(underWay.remove(), "predict"));
                if (bar != null) {
                    bar.update(done + 1, "");
                }
            }
        }
        if (bar != null) {
            bar.finish("");
        }
    }

    private Outcome predict(Predictor predictor, PictureList.Entry entry) throws IOException {
        try {
            Image picture = ImageCodec.read(entry.file());
            List<Prediction> predictions = predictor.predict(picture);
            if (drawing) {
                PngFile.write(
                        entry.drawn(),
                        PredictionBars.draw(
                                ImageCodec.toBufferedImage(picture),
                                predictions.stream()
                                        .map(each -> new PredictionBars.Bar(each.name(), each.probability()))
                                        .toList()));
            }
            return new Outcome(entry, predictions, null);
        } catch (ImageException e) {
            return new Outcome(entry, List.of(), e.getMessage());
        }
    }

    private void report(Outcome outcome, Console console) {
        Path file = outcome.picture().file();
        if (outcome.problem() != null) {
            console.warn(outcome.problem());
        }
        if (wantsJson()) {
            printJson(values(outcome));
        } else if (outcome.problem() == null) {
            Prediction best = outcome.predictions().getFirst();
            console.print("%s: %s", file, LabelDrawing.text(best.name(), best.probability()));
            outcome.predictions().stream()
                    .skip(1)
                    .forEach(other -> console.print("    %s", LabelDrawing.text(other.name(), other.probability())));
        }
    }

    private Map<String, Object> values(Outcome outcome) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("picture", outcome.picture().file().toString());
        if (outcome.problem() != null) {
            values.put("error", outcome.problem());
            return values;
        }
        Prediction best = outcome.predictions().getFirst();
        values.put("label", best.name());
        values.put("probability", best.probability());
        values.put("predictions", outcome.predictions());
        values.put("drawn", drawing ? outcome.picture().drawn().toString() : null);
        return values;
    }
}
