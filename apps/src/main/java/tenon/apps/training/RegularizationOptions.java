package tenon.apps.training;

import picocli.CommandLine.Option;
import tenon.apps.cli.OptionSection;

/** What keeps a network from learning by heart, and how updates are gathered. */
@OptionSection("Steps and regularization")
final class RegularizationOptions {
    @Option(
            names = "--accumulate",
            paramLabel = "N",
            defaultValue = "1",
            description = "Batches whose gradients make one update: N times the batch in the memory of one. Default:"
                    + " ${DEFAULT-VALUE}.")
    private int accumulate;

    @Option(
            names = "--label-smoothing",
            paramLabel = "S",
            description = "Share of each target spread over all classes. Default: 0.")
    private Double labelSmoothing;

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

    StepSettings step() {
        return new StepSettings(accumulate, mixup, average);
    }

    double labelSmoothing(double experiment) {
        return labelSmoothing != null ? labelSmoothing : experiment;
    }
}
