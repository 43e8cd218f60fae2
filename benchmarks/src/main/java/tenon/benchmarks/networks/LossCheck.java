package tenon.benchmarks.networks;

import java.util.List;
import java.util.Locale;
import tenon.engine.Precision;
import tenon.engine.TenonException;

/** Whether both engines compute the same network: the losses of their first training steps from equal weights. */
final class LossCheck {
    /** F32 rounds to 6e-8; summing in another order in every layer leaves about 1e-5 of a loss. */
    private static final double FP32 = 1e-3;
    /**
     * BF16 rounds every activation to 2^-9 = 2e-3 of its value, in different places on the two sides: Tenon fuses and rounds less often, libtorch keeps the
     * last layers' loss in F32.
     */
    private static final double BF16 = 3e-2;

    private LossCheck() {}

    static double tolerance(Precision precision) {
        return precision == Precision.FP32 ? FP32 : BF16;
    }

    /** Throws unless each pair agrees to {@link #tolerance}, relative to losses above 1 and absolute below; a NaN agrees with nothing. */
    static void require(BenchmarkNetwork network, Precision precision, Outcome ours, Outcome peer) {
        if (ours.parameters() != peer.parameters()) {
            throw new TenonException(String.format(
                    Locale.ROOT,
                    "%s: both engines must have the same learned parameters: tenon=%,d, libtorch=%,d",
                    network,
                    ours.parameters(),
                    peer.parameters()));
        }
        double tolerance = tolerance(precision);
        for (int i = 0; i < ours.losses().size(); i++) {
            double a = ours.losses().get(i);
            double b = peer.losses().get(i);
            if (!(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)))) {
                throw new TenonException(String.format(
                        Locale.ROOT,
                        "%s %s: both engines must compute the same losses to %.0e, or the times compare different"
                                + " networks: tenon=%s, libtorch=%s",
                        network,
                        precision,
                        tolerance,
                        text(ours.losses()),
                        text(peer.losses())));
            }
        }
    }

    static String text(List<Double> losses) {
        return String.join(
                " ",
                losses.stream()
                        .map(loss -> String.format(Locale.ROOT, "%.6f", loss))
                        .toList());
    }
}
