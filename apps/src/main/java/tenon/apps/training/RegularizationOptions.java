package tenon.apps.training;

import picocli.CommandLine.Option;
import tenon.apps.cli.OptionSection;

/** What keeps a network from learning by heart, and how updates are gathered. */
@OptionSection("Steps and regularization")
final class RegularizationOptions {
    @Option(
            names = "--accumulate",
            paramLabel = "N",
            description = "Batches whose gradients make one update: N times the batch in the memory of one. Default: 1,"
                    + " or as many as the experiment had devices.")
    private Integer accumulate;

    @Option(
            names = "--label-smoothing",
            paramLabel = "S",
            defaultValue = "0",
            description = "Share of each target spread over all classes. Default: ${DEFAULT-VALUE}.")
    private double labelSmoothing;

    @Option(
            names = "--mixup",
            paramLabel = "ALPHA",
            defaultValue = "0",
            description =
                    "Mix the pictures of a batch in pairs, by shares from Beta(ALPHA, ALPHA), often 0.2; training's"
                            + " rank-1 then counts the larger share. Default: ${DEFAULT-VALUE}, none.")
    private double mixup;

    @Option(
            names = "--ema",
            paramLabel = "DECAY",
            defaultValue = "0",
            description = "Keep a moving average of the weights, often 0.9999, which is what is judged, saved as the"
                    + " result and used by evaluate and predict. Default: ${DEFAULT-VALUE}, none.")
    private double average;

    /** @param experiment batches to an update where nothing is given */
    StepSettings step(int experiment) {
        return new StepSettings(accumulate != null ? accumulate : experiment, mixup, average);
    }

    double labelSmoothing() {
        return labelSmoothing;
    }
}
