package tenon.apps.training;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.Console;
import tenon.apps.cli.EnumConverter;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.apps.pictures.CurveSheet;
import tenon.apps.pictures.Drawing;
import tenon.engine.TenonException;

/** {@code tenon plot}: curves of one run or of several. */
@Command(
        name = "plot",
        description = {
            "Draws the curves of one run, or of several over each other: training dashed, validation solid.",
            "Branches of a run are stitched to its whole way; what was given up is drawn pale. What the published"
                    + " experiment came to is a dotted line."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tenon plot output/alexnet",
            "  ./tenon plot output/a output/b --labels plain,smoothed --output both.svg"
        })
public final class PlotCommand extends TenonCommand {
    @Parameters(paramLabel = "RUN", arity = "1..*", description = "Folders of training runs, at most 8.")
    private List<Path> folders;

    @Option(
            names = "--labels",
            paramLabel = "NAME",
            split = ",",
            description = "What the runs are called, in their order. Default: their folders' names.")
    private List<String> labels;

    @Option(
            names = "--metrics",
            paramLabel = "NAME",
            split = ",",
            converter = MeasureConverter.class,
            description = "Panels, of ${COMPLETION-CANDIDATES}. Default: loss, rank-1, and rank-5 with more than five"
                    + " classes.")
    private List<RunCurves.Measure> measures;

    @Option(
            names = "--output",
            paramLabel = "FILE",
            description = "Picture to write, .png or .svg. Default: plot.png in the first run's folder.")
    private Path output;

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        if (labels != null && labels.size() != folders.size()) {
            throw new UsageException(
                    "--labels must name each run: " + labels.size() + " names for " + folders.size() + " runs");
        }
        if (folders.size() > 8) {
            throw new UsageException("at most 8 runs can be told apart in a picture: " + folders.size());
        }
        RunCurves curves = new RunCurves();
        for (int i = 0; i < folders.size(); i++) {
            Path folder = folders.get(i).toAbsolutePath().normalize();
            curves.add(labels != null ? labels.get(i) : folder.getFileName().toString(), RunFolder.around(folder));
        }
        if (curves.epochs() == 0) {
            throw new TenonException("nothing to draw: no epoch was measured yet in " + folders);
        }
        Path file = output != null
                ? output
                : RunFolder.around(folders.getFirst()).folder().resolve("plot.png");
        if (!Drawing.canWrite(file)) {
            throw new UsageException("--output must end in .png or .svg: " + file);
        }
        CurveSheet.write(file, panels(curves).stream().map(curves::panel).toList());
        console.print("Plot: %s", file);
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("plot", file.toString());
        values.put("epochs", curves.epochs());
        return values;
    }

    private Set<RunCurves.Measure> panels(RunCurves curves) {
        if (measures != null) {
            return new LinkedHashSet<>(measures);
        }
        Set<RunCurves.Measure> usual = new LinkedHashSet<>(List.of(RunCurves.Measure.LOSS, RunCurves.Measure.RANK_1));
        if (curves.hasRank5()) {
            usual.add(RunCurves.Measure.RANK_5);
        }
        return usual;
    }

    private static final class MeasureConverter implements ITypeConverter<RunCurves.Measure> {
        @Override
        public RunCurves.Measure convert(String text) {
            return new EnumConverter<>(RunCurves.Measure.class).convert(text);
        }
    }
}
