package tenon.benchmarks.networks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tenon.apps.cli.Console;
import tenon.benchmarks.networks.Measurement.Task;
import tenon.engine.Precision;

/** Measures one {@link NetworkRow}: Tenon and libtorch in turn, round by round. */
final class NetworkComparison {
    /** A memory format this much slower than the other in the first round is not measured again. */
    private static final double CLEARLY_SLOWER = 1.1;
    /** Losses are of so many images at least: batch norm after a dense layer trains on no single one. */
    private static final int FEWEST_FOR_LOSSES = 8;

    private final Console console;
    private final boolean againstLibtorch;
    private final int rounds;
    private final Budget budget;
    private final boolean withFloor;
    private final boolean profile;

    NetworkComparison(
            Console console, boolean againstLibtorch, int rounds, Budget budget, boolean withFloor, boolean profile) {
        this.console = console;
        this.againstLibtorch = againstLibtorch;
        this.rounds = rounds;
        this.budget = budget;
        this.withFloor = withFloor;
        this.profile = profile;
    }

    /** Fills the row. */
    void measure(NetworkRow row) throws IOException {
        console.print("%s, batch %d, %s, %s, %d threads", row.network, row.batch, row.precision, row.mode, row.threads);
        if (againstLibtorch) {
            compareLosses(row);
        }
        Map<Engine, List<Outcome>> peers = new EnumMap<>(Engine.class);
        for (Engine format : formats(row.precision)) {
            peers.put(format, new ArrayList<>());
        }
        for (int round = 1; round <= rounds; round++) {
            row.ours.add(time(row, Engine.TENON, round));
            if (againstLibtorch) {
                for (var peer : peers.entrySet()) {
                    peer.getValue().add(time(row, peer.getKey(), round));
                }
                dropSlower(peers);
            }
            // Inference has no chain, and neither has bf16 where Tenon itself went back to fp32.
            if (withFloor
                    && row.mode == Mode.TRAIN
                    && row.ours.getFirst().precision().equals(row.precision.toString())) {
                row.floor.add(floor(row, round));
            }
        }
        if (againstLibtorch) {
            var best = fastest(peers);
            row.peerFormat = best.getKey();
            row.peer.addAll(best.getValue());
            row.peerDefault = Launch.runDefaultAllocator(measurement(row, Task.TIME, row.peerFormat));
            console.print("  default allocator: %s", line(row, row.peerFormat.toString(), row.peerDefault));
        }
        if (row.precision != Precision.FP32 && row.ours.getFirst().precision().equals("fp32")) {
            console.warn("this processor has no bf16: Tenon computed in fp32");
        }
        if (profile) {
            printProfile(row.ours.getLast());
        }
    }

    /** In fp32 either can be the faster one; under bf16 autocast channels-last is. */
    private static List<Engine> formats(Precision precision) {
        return precision == Precision.FP32
                ? List.of(Engine.CONTIGUOUS, Engine.CHANNELS_LAST)
                : List.of(Engine.CHANNELS_LAST);
    }

    private static Map.Entry<Engine, List<Outcome>> fastest(Map<Engine, List<Outcome>> peers) {
        return peers.entrySet().stream()
                .min((a, b) -> Double.compare(fastestStep(a.getValue()), fastestStep(b.getValue())))
                .orElseThrow();
    }

    private static double fastestStep(List<Outcome> outcomes) {
        return outcomes.stream().mapToDouble(Outcome::step).min().orElse(Double.MAX_VALUE);
    }

    private static void dropSlower(Map<Engine, List<Outcome>> peers) {
        double best = fastestStep(fastest(peers).getValue());
        peers.values().removeIf(outcomes -> fastestStep(outcomes) > CLEARLY_SLOWER * best);
    }

    private Measurement measurement(NetworkRow row, Task task, Engine engine) {
        boolean losses = task == Task.LOSSES;
        return new Measurement(
                task,
                engine,
                row.network,
                losses ? Math.max(row.batch, FEWEST_FOR_LOSSES) : row.batch,
                row.precision,
                losses ? Mode.TRAIN : row.mode,
                row.threads,
                budget,
                profile && engine == Engine.TENON);
    }

    private void compareLosses(NetworkRow row) throws IOException {
        Engine format = formats(row.precision).getFirst();
        Outcome ours = Launch.run(measurement(row, Task.LOSSES, Engine.TENON));
        Outcome peer = Launch.run(measurement(row, Task.LOSSES, format));
        row.oursLosses = ours.losses();
        row.peerLosses = peer.losses();
        console.print("  parameters: tenon %,d, libtorch %,d", ours.parameters(), peer.parameters());
        console.print(
                "  losses of %d steps without dropout: tenon %s, libtorch %s",
                ours.losses().size(), LossCheck.text(ours.losses()), LossCheck.text(peer.losses()));
        LossCheck.require(row.network, row.precision, ours, peer);
    }

    private Outcome time(NetworkRow row, Engine engine, int round) throws IOException {
        Outcome outcome = Launch.run(measurement(row, Task.TIME, engine));
        console.print("  round %d of %d: %s", round, rounds, line(row, engine.toString(), outcome));
        return outcome;
    }

    private Outcome floor(NetworkRow row, int round) throws IOException {
        Outcome outcome = Launch.run(measurement(row, Task.FLOOR, Engine.TENON));
        console.print(
                "  round %d of %d: %-22s %8.2f images/s, median of %d steps %.2f ms",
                round, rounds, "oneDNN's chain", row.imagesPerSecond(outcome), outcome.steps(), 1e3 * outcome.step());
        return outcome;
    }

    private static String line(NetworkRow row, String who, Outcome outcome) {
        String text = String.format(
                Locale.ROOT,
                "%-22s %8.2f images/s, median of %d steps %.2f ms",
                who,
                row.imagesPerSecond(outcome),
                outcome.steps(),
                1e3 * outcome.step());
        if (row.mode == Mode.TRAIN) {
            text += String.format(
                    Locale.ROOT,
                    " (forward %.2f, backward %.2f, update %.2f)",
                    1e3 * outcome.forward(),
                    1e3 * outcome.backward(),
                    1e3 * outcome.update());
        }
        if (outcome.outsideKernels() > 0) {
            text += String.format(Locale.ROOT, ", outside kernels %.2f ms", 1e3 * outcome.outsideKernels());
        }
        return text + String.format(Locale.ROOT, ", peak memory %d MB", outcome.peakBytes() >> 20);
    }

    private void printProfile(Outcome outcome) {
        console.print("  %9s %6s %6s %8s %7s  kernel, largest tensor", "ms/step", "share", "calls", "GFLOP/s", "GB/s");
        for (var kernel : outcome.kernels()) {
            console.print(
                    "  %9.3f %5.1f%% %6.1f %8s %7.1f  %s",
                    1e3 * kernel.seconds(),
                    100 * kernel.seconds() / outcome.step(),
                    kernel.calls(),
                    kernel.gflops() == 0 ? "-" : String.format(Locale.ROOT, "%.0f", kernel.gflops()),
                    kernel.gigabytes(),
                    kernel.kernel());
        }
        console.print(
                "  %9.3f %5.1f%%  outside kernels",
                1e3 * outcome.outsideKernels(), 100 * outcome.outsideKernels() / outcome.step());
    }
}
