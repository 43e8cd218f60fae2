package tenon.apps.quickstart;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tenon.apps.cli.ComputeOptions;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.apps.training.NetworkSpec;
import tenon.io.FashionMnist;

/** {@code tenon quickstart}: from nothing to a trained, evaluated network. */
@Command(
        name = "quickstart",
        description = {
            "Trains a small VGG on Fashion-MNIST (10 kinds of clothes, 28x28) and tests it.",
            "Finds or fetches the data, packs it, trains on 55,000 pictures, chooses the best epoch on 5,000 held out,"
                    + " and evaluates once on the 10,000 test pictures. Writes checkpoints, history.json, history.csv,"
                    + " plot.png and predictions.png."
        },
        footerHeading = "%nExample:%n",
        footer = {"  ./tenon quickstart", "  ./tenon quickstart --epochs 1 --limit 6000 --output output/short --json"})
public final class QuickstartCommand extends TenonCommand {
    @Option(
            names = "--network",
            paramLabel = "NAME",
            description = "One of ${COMPLETION-CANDIDATES}. Default: minivgg.")
    private NetworkSpec.Kind network = QuickstartRecipe.DEFAULT.network();

    @Option(
            names = "--epochs",
            paramLabel = "N",
            description = "Passes over the training pictures. Default: ${DEFAULT-VALUE}.")
    private int epochs = QuickstartRecipe.DEFAULT.epochs();

    @Option(names = "--batch", paramLabel = "N", description = "Pictures per update. Default: ${DEFAULT-VALUE}.")
    private int batch = QuickstartRecipe.DEFAULT.batchSize();

    @Option(
            names = "--limit",
            paramLabel = "N",
            description = "Use only the first N training pictures, held-out ones included (default: all).")
    private Integer limit;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "Folder with the four .gz files of Fashion-MNIST (default: found or fetched).")
    private Path data;

    @Option(
            names = "--output",
            paramLabel = "DIR",
            defaultValue = "output/quickstart",
            description = "Where everything goes. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Mixin
    private ComputeOptions compute;

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        compute.settings();
        if (limit != null && limit < 100) {
            throw new UsageException("--limit must be at least 100: " + limit);
        }
        Path idxFolder = FashionMnist.obtain(data, output, console::print);
        QuickstartRecipe recipe = QuickstartRecipe.DEFAULT.with(network, epochs, batch);
        return new Quickstart(recipe, limit, output, compute, console).run(idxFolder);
    }
}
