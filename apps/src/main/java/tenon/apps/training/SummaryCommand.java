package tenon.apps.training;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.Console;
import tenon.apps.cli.ImageSize;
import tenon.apps.cli.TenonCommand;
import tenon.layers.Summary;

/** {@code tenon summary}: the layers of a network with shapes, parameters and arithmetic. */
@Command(
        name = "summary",
        description =
                "Shows the layers of a network: output shapes, parameters, multiply-adds. Needs no memory for weights.",
        footerHeading = "%nExample:%n",
        footer = "  ./tenon summary smallvgg --input 64x64x3 --classes 3")
public final class SummaryCommand extends TenonCommand {
    @Parameters(paramLabel = "NETWORK", description = "One of ${COMPLETION-CANDIDATES}.")
    private NetworkSpec.Kind network;

    @Option(
            names = "--input",
            paramLabel = "HxWxC",
            description = "Height, width and channels of a picture (default: those of the original experiment).")
    private ImageSize input;

    @Option(
            names = "--classes",
            paramLabel = "N",
            defaultValue = "10",
            description = "Number of classes. Default: ${DEFAULT-VALUE}.")
    private int classes;

    @Mixin
    private NetworkOptions options;

    @Override
    protected Map<String, ?> run(Console console) {
        ImageSize size = input == null ? network.defaultInput() : input;
        Summary summary = options.spec(network, size, classes, network.defaultNormMomentum())
                .summary();
        console.print(summary.toString().stripTrailing());
        return new ObjectMapper().convertValue(summary, new TypeReference<Map<String, Object>>() {});
    }
}
