package tenon.benchmarks.networks;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import tenon.benchmarks.Machine;
import tenon.benchmarks.Statistics;
import tenon.engine.Precision;

/** What is known of one network at one batch, precision and mode: the outcome of every round. */
final class NetworkRow {
    final BenchmarkNetwork network;
    final int batch;
    final Precision precision;
    final Mode mode;
    final int threads;
    final List<Outcome> ours = new ArrayList<>();
    /** Of the memory format that {@link #peerFormat} names. */
    final List<Outcome> peer = new ArrayList<>();

    Engine peerFormat;
    Outcome peerDefault;
    List<Double> oursLosses = List.of();
    List<Double> peerLosses = List.of();
    /** oneDNN's primitives chained; empty where not measured. */
    final List<Outcome> floor = new ArrayList<>();

    NetworkRow(BenchmarkNetwork network, int batch, Precision precision, Mode mode, int threads) {
        this.network = network;
        this.batch = batch;
        this.precision = precision;
        this.mode = mode;
        this.threads = threads;
    }

    double imagesPerSecond(Outcome outcome) {
        return batch / outcome.step();
    }

    private double[] rates(List<Outcome> outcomes) {
        return outcomes.stream().mapToDouble(this::imagesPerSecond).toArray();
    }

    private static double median(List<Outcome> outcomes, ToDoubleFunction<Outcome> value) {
        return Statistics.median(outcomes.stream().mapToDouble(value));
    }

    /** Ours over the peer's, round by round. */
    double[] ratios() {
        double[] ratios = new double[Math.min(ours.size(), peer.size())];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = peer.get(i).step() / ours.get(i).step();
        }
        return ratios;
    }

    /** 1 − ours over the floor: below 0 where fusion passes it. */
    double overhead() {
        return 1 - median(ours, this::imagesPerSecond) / median(floor, this::imagesPerSecond);
    }

    /** The row as {@code --json} prints it: what was asked, the medians, then what they come from. */
    Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("net", network.toString());
        map.put("batch", batch);
        map.put("precision", precision.toString());
        map.put("mode", mode.toString());
        map.put("ours_images_per_second", rounded(median(ours, this::imagesPerSecond)));
        boolean compared = !peer.isEmpty();
        map.put("peer", compared ? Machine.PEER : null);
        map.put("peer_images_per_second", compared ? rounded(median(peer, this::imagesPerSecond)) : null);
        map.put("peer_default_images_per_second", peerDefault == null ? null : rounded(imagesPerSecond(peerDefault)));
        map.put("ratio", compared ? rounded(Statistics.median(ratios())) : null);
        map.put("ours_peak_rss_mb", megabytes(ours));
        map.put("peer_peak_rss_mb", compared ? megabytes(peer) : null);
        map.put("floor_images_per_second", floor.isEmpty() ? null : rounded(median(floor, this::imagesPerSecond)));
        // The same in detail.
        map.put("overhead", floor.isEmpty() ? null : rounded(overhead()));
        map.put("threads", threads);
        map.put("computed_in", ours.getFirst().precision());
        map.put("ours_parameters", ours.getFirst().parameters());
        map.put("peer_parameters", compared ? peer.getFirst().parameters() : null);
        map.put("peer_format", compared ? peerFormat.toString() : null);
        map.put("ours_losses", oursLosses);
        map.put("peer_losses", peerLosses);
        map.put("ours_steps_ms", steps(ours));
        map.put("peer_steps_ms", compared ? steps(peer) : null);
        map.put("ours_rounds", round(rates(ours)));
        map.put("peer_rounds", round(rates(peer)));
        map.put("floor_rounds", round(rates(floor)));
        map.put("ratio_rounds", round(ratios()));
        return map;
    }

    private static Map<String, Double> steps(List<Outcome> outcomes) {
        Map<String, Double> steps = new LinkedHashMap<>();
        steps.put("step", rounded(1e3 * median(outcomes, Outcome::step)));
        steps.put("forward", rounded(1e3 * median(outcomes, Outcome::forward)));
        steps.put("backward", rounded(1e3 * median(outcomes, Outcome::backward)));
        steps.put("update", rounded(1e3 * median(outcomes, Outcome::update)));
        steps.put("outside_kernels", rounded(1e3 * median(outcomes, Outcome::outsideKernels)));
        return steps;
    }

    private static long megabytes(List<Outcome> outcomes) {
        return Math.round(median(outcomes, Outcome::peakBytes) / (1 << 20));
    }

    private static List<Double> round(double[] values) {
        List<Double> rounded = new ArrayList<>();
        for (double value : values) {
            rounded.add(rounded(value));
        }
        return rounded;
    }

    /** To four significant digits, more than a measurement holds. */
    static double rounded(double value) {
        return value == 0 || !Double.isFinite(value)
                ? value
                : new BigDecimal(value).round(new MathContext(4)).doubleValue();
    }
}
