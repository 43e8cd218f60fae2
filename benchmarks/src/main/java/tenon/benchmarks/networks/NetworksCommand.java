package tenon.benchmarks.networks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.benchmarks.Machine;
import tenon.benchmarks.Statistics;
import tenon.engine.Precision;

/** {@code tenon bench networks}. */
@Command(
        name = "networks",
        description = {
            "Times the training step or the inference of whole networks, here and in libtorch, in turn, each in a"
                    + " process of its own.",
            "libtorch runs with the allocator tuned to keep memory, in fp32 in the faster of its two memory formats"
                + " and in bf16 under autocast; its figure with the default allocator stands beside. Before that, both"
                + " compute three training steps from equal weights and must find the same losses."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tenon bench networks --net minivgg",
            "  ./tenon bench networks --net resnet50,vgg16 --precision both --json",
            "  ./tenon bench networks --net all --mode inference --batch 1",
            "  ./tenon bench networks --net minivgg --against none --rounds 1 --profile"
        })
public final class NetworksCommand extends TenonCommand {
    /** Peers that can be measured. */
    public enum Peer {
        LIBTORCH,
        NONE;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Option(
            names = "--net",
            paramLabel = "NAME",
            split = ",",
            defaultValue = "minivgg",
            description = "Networks, or all: Default: ${DEFAULT-VALUE}.")
    private List<String> networks;

    @Option(names = "--batch", paramLabel = "N", description = "Images a step. Default: the network's own.")
    private Integer batch;

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            defaultValue = "fp32",
            description = "fp32, bf16 or both. Default: ${DEFAULT-VALUE}.")
    private String precision;

    @Option(
            names = "--mode",
            paramLabel = "NAME",
            defaultValue = "train",
            description = "train or inference. Default: ${DEFAULT-VALUE}.")
    private Mode mode;

    @Option(
            names = "--against",
            paramLabel = "NAME",
            defaultValue = "libtorch",
            description = "libtorch or none. Default: ${DEFAULT-VALUE}.")
    private Peer against;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "3",
            description = "How often both are measured in turn. Default: ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "10",
            description = "Timed steps of one process take about this long, and are at least three. Default:"
                    + " ${DEFAULT-VALUE}.")
    private double seconds;

    @Option(names = "--steps", paramLabel = "N", description = "Exactly this many timed steps instead.")
    private Integer steps;

    @Option(names = "--threads", paramLabel = "N", description = "Compute threads. Default: one per processor.")
    private Integer threads;

    @Option(
            names = "--no-floor",
            description = "Leave out the oneDNN primitives of the training step, chained (./tenon bench floor).")
    private boolean withoutFloor;

    @Option(names = "--profile", description = "Also list the time in each of Tenon's kernels, by shape.")
    private boolean profile;

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        check();
        int processors = threads != null ? threads : Runtime.getRuntime().availableProcessors();
        Budget budget = new Budget(seconds, steps == null ? 0 : steps);
        NetworkComparison comparison =
                new NetworkComparison(console, against == Peer.LIBTORCH, rounds, budget, !withoutFloor, profile);
        List<NetworkRow> rows = new ArrayList<>();
        for (BenchmarkNetwork network : Selection.networks(networks)) {
            for (Precision one : Selection.precisions(precision)) {
                NetworkRow row =
                        new NetworkRow(network, batch != null ? batch : network.batch(), one, mode, processors);
                comparison.measure(row);
                rows.add(row);
                printSummary(console, row);
            }
        }
        return json(rows);
    }

    /** One row stands alone; several are a list. */
    private static Map<String, Object> json(List<NetworkRow> rows) {
        Map<String, Object> json = new LinkedHashMap<>();
        if (rows.size() == 1) {
            json.putAll(rows.getFirst().toMap());
        } else {
            json.put("rows", rows.stream().map(NetworkRow::toMap).toList());
        }
        json.put("machine", Machine.describe());
        return json;
    }

    private void check() {
        if (batch != null && batch < 1) {
            throw new UsageException("--batch must be at least 1: " + batch);
        }
        if (rounds < 1) {
            throw new UsageException("--rounds must be at least 1: " + rounds);
        }
        if (!(seconds > 0)) {
            throw new UsageException("--seconds must be above 0: " + seconds);
        }
        if (steps != null && steps < 1) {
            throw new UsageException("--steps must be at least 1: " + steps);
        }
        if (threads != null && threads < 1) {
            throw new UsageException("--threads must be at least 1: " + threads);
        }
        Selection.networks(networks);
        Selection.precisions(precision);
    }

    private static void printSummary(Console console, NetworkRow row) {
        Map<String, Object> values = row.toMap();
        StringBuilder text = new StringBuilder("  tenon " + values.get("ours_images_per_second") + " images/s");
        if (!row.peer.isEmpty()) {
            double[] ratios = row.ratios();
            text.append(String.format(
                    Locale.ROOT,
                    ", %s %s (default allocator %s): ratio %.2f, %.2f to %.2f over the rounds",
                    row.peerFormat,
                    values.get("peer_images_per_second"),
                    values.get("peer_default_images_per_second"),
                    Statistics.median(ratios),
                    Arrays.stream(ratios).min().orElseThrow(),
                    Arrays.stream(ratios).max().orElseThrow()));
        }
        if (!row.floor.isEmpty()) {
            text.append(String.format(
                    Locale.ROOT,
                    "; floor %s, overhead %.0f %%",
                    values.get("floor_images_per_second"),
                    100 * row.overhead()));
        }
        console.print(text.toString());
    }
}
