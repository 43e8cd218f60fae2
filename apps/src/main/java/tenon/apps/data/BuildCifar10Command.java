package tenon.apps.data;

import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.io.sets.Cifar10Builder;

/** {@code tenon build cifar10}: record files from CIFAR-10's binary version. */
@Command(
        name = "cifar10",
        description = "Builds train.trec and test.trec from CIFAR-10's binary version.",
        footerHeading = "%nExample:%n",
        footer = "  ./tenon build cifar10 cifar-10-batches-bin --out records --val 5000")
public final class BuildCifar10Command extends TenonCommand {
    @Parameters(
            paramLabel = "FOLDER",
            description = "Folder of data_batch_1.bin ... and test_batch.bin, or the one above it.")
    private Path folder;

    @Option(
            names = "--val",
            paramLabel = "N",
            defaultValue = "0",
            description = "Put the last N training pictures into val.trec instead. Default: ${DEFAULT-VALUE}.")
    private int validation;

    @Mixin
    private BuildOptions options;

    @Override
    protected Map<String, ?> run(Console console) {
        return options.run(console, new Cifar10Builder(folder).validation(validation)::build);
    }
}
