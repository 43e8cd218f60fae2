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
import tenon.io.build.ClassSource;
import tenon.io.build.ImageFolderBuilder;

/** {@code tenon build folder}: record files from a folder with one folder of pictures per class. */
@Command(
        name = "folder",
        aliases = "folders",
        description = {
            "Builds record files from a folder that has one folder of pictures per class, or whose pictures begin their"
                    + " names with their class.",
            "Pictures that cannot be decoded are left out and named."
        },
        footerHeading = "%nExample:%n",
        footer = {
            "  ./tenon build folder animals --out records --size 64x64x3 --test 0.2",
            "  Writes train.trec and test.trec, every picture squashed to 64x64.",
            "  ./tenon build folder animals --out records --resize 256 \\",
            "      --encoding jpeg --quality 95 --shards 8",
            "  Writes train-00000-of-00008.trec and seven more of JPEG pictures.",
            "  ./tenon build folder train --classes-from file-name --val 0.1 --out records",
            "  Takes cat.0.jpg for a cat."
        })
public final class BuildFolderCommand extends TenonCommand {
    @Parameters(paramLabel = "FOLDER", description = "Folder of pictures.")
    private Path folder;

    @Option(
            names = "--classes-from",
            paramLabel = "WHAT",
            defaultValue = "folder",
            description = "What says a picture's class: folder, the folder it lies in; or file-name, its name up to the"
                    + " first dot. Default: ${DEFAULT-VALUE}.")
    private ClassSource classes;

    @Option(
            names = "--val",
            paramLabel = "SHARE",
            defaultValue = "0",
            description = "Share of the pictures that goes to val.trec. Default: ${DEFAULT-VALUE}.")
    private double validation;

    @Option(
            names = "--test",
            paramLabel = "SHARE",
            defaultValue = "0",
            description = "Share of the pictures that goes to test.trec. Default: ${DEFAULT-VALUE}.")
    private double test;

    @Option(names = "--stratified", description = "Take the same share of every class.")
    private boolean stratified;

    @Mixin
    private BuildOptions options;

    @Override
    protected Map<String, ?> run(Console console) {
        if (!(validation >= 0 && test >= 0 && validation + test < 1)) {
            throw new UsageException(
                    "--val and --test must be at least 0 and add up to less than 1: " + validation + ", " + test);
        }
        ImageFolderBuilder builder =
                new ImageFolderBuilder(folder).classesFrom(classes).stratified(stratified);
        if (validation > 0) {
            builder.split("val", validation);
        }
        if (test > 0) {
            builder.split("test", test);
        }
        return options.run(console, builder::build);
    }
}
