package tenon.apps.data;

import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.io.FashionMnist;

/** {@code tenon build fashion-mnist}: record files of Fashion-MNIST, fetched where it is missing. */
@Command(
        name = "fashion-mnist",
        description =
                "Finds or fetches Fashion-MNIST (10 kinds of clothes, 28x28 grey) and builds train.trec, val.trec and"
                        + " test.trec.",
        footerHeading = "%nExample:%n",
        footer = "  ./tenon build fashion-mnist --out output/fashion")
public final class BuildFashionMnistCommand extends TenonCommand {
    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "Folder with the four .gz files (default: found or fetched).")
    private Path data;

    @Option(
            names = "--val",
            paramLabel = "N",
            defaultValue = "5000",
            description = "Put N training pictures, chosen by --seed, into val.trec. Default: ${DEFAULT-VALUE}.")
    private int validation;

    @Mixin
    private BuildOptions options;

    @Override
    protected Map<String, ?> run(Console console) {
        if (validation < 0 || validation >= FashionMnist.TRAIN_COUNT) {
            throw new UsageException("--val must lie in [0, " + (FashionMnist.TRAIN_COUNT - 1) + "]: " + validation);
        }
        Path idxFolder = FashionMnist.obtain(data, options.output(), console::print);
        return options.run(console, settings -> FashionMnist.build(idxFolder, validation, options.seed(), settings));
    }
}
