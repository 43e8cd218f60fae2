package tenon.apps.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;
import tenon.apps.cli.Console;
import tenon.apps.cli.OptionSection;
import tenon.apps.cli.UsageException;
import tenon.apps.pictures.ConfusionChart;
import tenon.apps.pictures.Drawing;
import tenon.apps.pictures.Fonts;
import tenon.apps.pictures.PngFile;
import tenon.io.record.Records;
import tenon.optim.metrics.ConfusionMatrix;

/** Files that an evaluation leaves. */
@OptionSection("Files to write")
final class EvaluationOutputs {
    @Option(
            names = "--confusion",
            paramLabel = "FILE",
            description =
                    "Draw the confusion matrix, .png or .svg. Default: confusion.png in the folder of the run, if it"
                            + " is one.")
    private Path confusion;

    @Option(
            names = "--mistakes",
            paramLabel = "N",
            description = "Draw the N pictures whose true class was given the least probability, and which were taken"
                    + " for another, with both classes and probabilities.")
    private Integer mistakes;

    @Option(
            names = "--mistakes-out",
            paramLabel = "FILE",
            description = "Where (.png). Default: mistakes.png in the folder of the run, or in the current folder.")
    private Path mistakesOut;

    @Option(
            names = "--predictions",
            paramLabel = "FILE",
            description = "Write a table (CSV) of all pictures: key, true class, the five likeliest classes and their"
                    + " probabilities.")
    private Path predictions;

    void check() {
        if (mistakes != null && (mistakes < 1 || mistakes > 1000)) {
            throw new UsageException("--mistakes must lie in [1, 1000]: " + mistakes);
        }
        if (mistakesOut != null && mistakes == null) {
            throw new UsageException("--mistakes-out needs --mistakes N, which says how many");
        }
        if (confusion != null && !Drawing.canWrite(confusion)) {
            throw new UsageException("--confusion must end in .png or .svg: " + confusion);
        }
    }

    /** What has to be noted of each picture. */
    EvaluationNotes notes(Records records) {
        return new EvaluationNotes(records, mistakes == null ? 0 : mistakes, predictions != null);
    }

    /**
     * Writes everything and says what lies where.
     *
     * @param checkpoint that was measured
     * @return for {@code --json}: paths of the files, null where there is none
     */
    Map<String, Object> write(
            Path checkpoint, Records records, ConfusionMatrix matrix, EvaluationNotes notes, Console console)
            throws IOException {
        Path run = Files.isDirectory(checkpoint) ? RunFolder.around(checkpoint).folder() : null;
        Map<String, Object> written = new LinkedHashMap<>();
        written.put(
                "confusion", text(drawConfusion(run, matrix, records.schema().classNames(), console)));
        if (mistakes != null) {
            written.put("mistakes", text(drawMistakes(run, records, notes.mistakes(), console)));
        }
        if (predictions != null) {
            notes.table().write(predictions);
            console.print("Predictions: %s", predictions);
            written.put("predictions", predictions.toString());
        }
        return written;
    }

    private static String text(Path file) {
        return file == null ? null : file.toString();
    }

    private Path drawConfusion(Path run, ConfusionMatrix matrix, List<String> names, Console console)
            throws IOException {
        if (confusion == null && run == null) {
            return null;
        }
        if (!Fonts.available()) {
            console.warn("no confusion matrix drawn: no fonts on this machine (./tenon doctor says what to install)");
            return null;
        }
        Path file = confusion != null ? confusion : run.resolve("confusion.png");
        try {
            ConfusionChart.write(file, matrix, names);
        } catch (IOException e) {
            if (confusion != null) {
                throw e;
            }
            // Nobody asked for it: runs that may only be read can be measured all the same.
            console.warn("no confusion matrix drawn: " + file + " cannot be written (say with --confusion where)");
            return null;
        }
        console.print("Confusion:   %s", file);
        return file;
    }

    private Path drawMistakes(Path run, Records records, Mistakes worst, Console console) throws IOException {
        if (worst.list().isEmpty()) {
            console.print("No mistakes to draw");
            return null;
        }
        Path file =
                mistakesOut != null ? mistakesOut : run != null ? run.resolve("mistakes.png") : Path.of("mistakes.png");
        PngFile.write(file, worst.sheet(records));
        console.print("Mistakes:    %s (the %d worst)", file, worst.list().size());
        return file;
    }
}
