package tenon.apps.data;

import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.io.sets.CsvPixelsBuilder;

/** {@code tenon build csv}: record files from a table of pixels. */
@Command(
        name = "csv",
        description = {
            "Builds record files from a table of grey square pictures in FER2013's layout: columns emotion, pixels,"
                    + " Usage.",
            "Usage Training goes to train.trec, PrivateTest to val.trec, everything else to test.trec."
        },
        footerHeading = "%nExample:%n",
        footer = "  ./tenon build csv fer2013/fer2013.csv --merge-disgust --out records")
public final class BuildCsvCommand extends TenonCommand {
    @Parameters(paramLabel = "FILE", description = "The CSV file.")
    private Path file;

    @Option(
            names = "--merge-disgust",
            description = "Count FER2013's disgust, which is rare, as anger: six classes are left.")
    private boolean merged;

    @Mixin
    private ClassNames classes;

    @Mixin
    private BuildOptions options;

    @Override
    protected Map<String, ?> run(Console console) {
        CsvPixelsBuilder builder = new CsvPixelsBuilder(file).mergeDisgust(merged);
        if (!classes.get().isEmpty()) {
            if (merged) {
                throw new UsageException(
                        "--merge-disgust names the classes: give it without --classes and --class-file");
            }
            builder.classes(classes.get());
        }
        return options.run(console, builder::build);
    }
}
