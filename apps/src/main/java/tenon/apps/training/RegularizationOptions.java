package tenon.apps.training;

import picocli.CommandLine.Option;
import tenon.apps.cli.OptionSection;

/** What keeps a network from learning by heart, and how updates are gathered. */
@OptionSection("Steps and regularization")
final class RegularizationOptions {
    @Option(
            names = "--accumulate",
            paramLabel = "N",
            description =
                    "Batches of each device whose gradients make one update: N times the batch in the memory of one."
                            + " Default: 1, or what makes the updates of the experiment's devices.")
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
            names = "--random-erasing",
            paramLabel = "P",
            defaultValue = "0",
            description = "Probability, often 0.25 or 0.5, that a rectangle of up to a third of a training picture is"
                    + " overwritten with random values. Default: ${DEFAULT-VALUE}, none.")
    private double erasing;

    @Option(
            names = "--ema",
            paramLabel = "DECAY",
            defaultValue = "0",
            description = "Keep a moving average of the weights, often 0.9999, which is what is judged, saved as the"
                    + " result and used by evaluate and predict. Default: ${DEFAULT-VALUE}, none.")
    private double average;

    /** @param experiment the original's devices, each with a batch to an update; null: none is repeated */
    StepSettings step(Integer experiment, int devices) {
        StepSettings plain = new StepSettings(accumulate != null ? accumulate : 1, mixup, erasing, average);
        return accumulate != null || experiment == null ? plain : plain.spreading(experiment, devices);
    }

    double labelSmoothing() {
        return labelSmoothing;
    }
}
