package tenon.benchmarks.gpu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tenon.benchmarks.Statistics;
import tenon.benchmarks.networks.BenchmarkNetwork;

/** Step times of one network in one mode: Tenon's, and the peer's by variant; one value per round. */
final class GpuRow {
    static final String TENON = "tenon";

    private final BenchmarkNetwork network;
    private final GpuMode mode;
    private final int batch;
    /** By who: the best epoch's seconds per step of each round. */
    private final Map<String, List<Double>> seconds = new LinkedHashMap<>();

    private long parameters;
    private long memoryBytes;

    GpuRow(BenchmarkNetwork network, GpuMode mode, int batch) {
        this.network = network;
        this.mode = mode;
        this.batch = batch;
    }

    BenchmarkNetwork network() {
        return network;
    }

    GpuMode mode() {
        return mode;
    }

    int batch() {
        return batch;
    }

    void add(GpuTraining.Result result) {
        parameters = result.parameters();
        memoryBytes = result.memoryBytes();
        add(TENON, result.stepSeconds());
    }

    void add(String who, List<Double> stepSeconds) {
        seconds.computeIfAbsent(who, _ -> new ArrayList<>())
                .add(stepSeconds.stream().mapToDouble(Double::doubleValue).min().orElseThrow());
    }

    /** Median of the rounds; NaN where there is none. */
    double imagesPerSecond(String who) {
        List<Double> rounds = seconds.get(who);
        return rounds == null
                ? Double.NaN
                : batch / Statistics.median(rounds.stream().mapToDouble(Double::doubleValue));
    }

    /** The peer's fastest variant, 0 without. */
    private double bestPeer() {
        return seconds.keySet().stream()
                .filter(who -> !who.equals(TENON))
                .mapToDouble(this::imagesPerSecond)
                .max()
                .orElse(0);
    }

    static String header() {
        return String.format(
                "%-10s %-5s %5s %12s %12s %12s %7s",
                "network", "mode", "batch", "tenon im/s", "eager", "compiled", "ratio");
    }

    String line() {
        double peer = bestPeer();
        return String.format(
                Locale.ROOT,
                "%-10s %-5s %5d %12s %12s %12s %7s",
                network,
                mode,
                batch,
                text(imagesPerSecond(TENON)),
                text(imagesPerSecond("eager")),
                text(imagesPerSecond("compiled")),
                peer == 0 ? "-" : String.format(Locale.ROOT, "%.2f", imagesPerSecond(TENON) / peer));
    }

    private static String text(double value) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%.0f", value);
    }

    Map<String, Object> json() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("net", network.toString());
        json.put("mode", mode.toString());
        json.put("batch", batch);
        json.put("parameters", parameters);
        json.put("memory_bytes", memoryBytes);
        Map<String, Object> each = new LinkedHashMap<>();
        seconds.forEach((who, rounds) ->
                each.put(who, Map.of("images_per_second", imagesPerSecond(who), "step_seconds_rounds", rounds)));
        json.put("training", each);
        return json;
    }
}
