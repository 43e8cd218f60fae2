package tenon.benchmarks.networks;

import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import tenon.apps.cli.UsageException;
import tenon.engine.Precision;

/** What {@code --net} and {@code --precision} name. */
public final class Selection {
    private Selection() {}

    /** @param names of networks, or the one word all */
    public static List<BenchmarkNetwork> networks(List<String> names) {
        return names.equals(List.of("all"))
                ? List.of(BenchmarkNetwork.values())
                : names.stream().map(Selection::network).toList();
    }

    private static BenchmarkNetwork network(String name) {
        return Stream.of(BenchmarkNetwork.values())
                .filter(network -> network.toString().equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() -> new UsageException(
                        "--net must be all, or some of " + List.of(BenchmarkNetwork.values()) + ": " + name));
    }

    /** @param name fp32, bf16 or both */
    public static List<Precision> precisions(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "fp32" -> List.of(Precision.FP32);
            case "bf16" -> List.of(Precision.BF16);
            case "both" -> List.of(Precision.values());
            default -> throw new UsageException("--precision must be fp32, bf16 or both: " + name);
        };
    }
}
