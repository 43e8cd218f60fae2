package tenon.benchmarks.floor;

import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.benchmarks.Machine;
import tenon.benchmarks.networks.BenchmarkNetwork;
import tenon.engine.Precision;

/** {@code tenon bench floor}. */
@Command(
        name = "floor",
        description = {
            "Times the oneDNN primitives of a network's training step: chained, which is in order and on distinct"
                    + " buffers, and each by itself on hot caches.",
            "Nothing of Tenon's takes part but the weight update: a training step that is as fast as the chain has no"
                    + " overhead."
        },
        footerHeading = "%nExample:%n",
        footer = "  ./tenon bench floor --net minivgg --precision bf16")
public final class FloorCommand extends TenonCommand {
    @Option(
            names = "--net",
            paramLabel = "NAME",
            defaultValue = "minivgg",
            description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private BenchmarkNetwork network;

    @Option(names = "--batch", paramLabel = "N", description = "Images a step. Default: the network's own.")
    private Integer batch;

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            defaultValue = "fp32",
            description = "fp32 or bf16. Default: ${DEFAULT-VALUE}.")
    private Precision precision;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "5",
            description = "Timed steps take about this long, and are at least three. Default: ${DEFAULT-VALUE}.")
    private double seconds;

    @Option(names = "--threads", paramLabel = "N", description = "Compute threads. Default: one per processor.")
    private Integer threads;

    @Override
    protected Map<String, ?> run(Console console) {
        if (batch != null && batch < 1) {
            throw new UsageException("--batch must be at least 1: " + batch);
        }
        if (threads != null && threads < 1) {
            throw new UsageException("--threads must be at least 1: " + threads);
        }
        FloorResult result = Floor.measure(
                network::build,
                network.input(batch != null ? batch : network.batch()),
                precision,
                threads != null ? threads : Runtime.getRuntime().availableProcessors(),
                seconds,
                true);
        console.print(result.table().stripTrailing());
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("net", network.toString());
        json.putAll(result.json());
        json.put("machine", Machine.describe());
        return json;
    }
}
