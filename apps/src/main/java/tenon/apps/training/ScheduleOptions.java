package tenon.apps.training;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine.Option;
import tenon.apps.cli.OptionSection;
import tenon.apps.cli.UsageException;

/** The learning rate and how it changes. What is not given is as in the experiment, or the usual default. */
@OptionSection("Learning rate")
final class ScheduleOptions {
    @Option(
            names = "--lr",
            paramLabel = "RATE",
            description = "Learning rate (default: the experiment's, or 0.01 for sgd, 0.001 for the others).")
    private Double rate;

    @Option(
            names = "--schedule",
            paramLabel = "NAME",
            description = "How the rate changes, one of ${COMPLETION-CANDIDATES}. Default: constant, or the"
                    + " experiment's.")
    private ScheduleSpec.Kind kind;

    @Option(
            names = "--lr-at",
            paramLabel = "EPOCH=RATE",
            split = ",",
            description = "Another rate after so many epochs, e.g. 65=0.001,85=0.0001.")
    private Map<Integer, Double> changes;

    @Option(
            names = "--lr-end",
            paramLabel = "RATE",
            description = "Where cosine, linear and polynomial end. Default: 0.")
    private Double endRate;

    @Option(names = "--lr-power", paramLabel = "P", description = "Of polynomial. Default: 2.")
    private Double power;

    @Option(
            names = "--lr-factor",
            paramLabel = "F",
            description = "Of exponential: what the rate is multiplied by after each epoch. Default: 0.98.")
    private Double factor;

    @Option(
            names = "--warm-up",
            paramLabel = "EPOCHS",
            description = "Epochs in which the rate rises from a tenth. Default: 0.")
    private Double warmUp;

    /** @param experiment what holds where nothing is given, or null */
    ScheduleSpec spec(OptimizerSpec.Kind optimizer, ScheduleSpec experiment) {
        boolean own = kind != null || changes != null;
        if (!own && experiment != null) {
            return new ScheduleSpec(
                    experiment.kind(),
                    or(rate, experiment.rate()),
                    or(warmUp, experiment.warmUpEpochs()),
                    experiment.changes(),
                    or(endRate, experiment.endRate()),
                    or(power, experiment.power()),
                    null,
                    or(factor, experiment.factor()));
        }
        if (changes != null && kind != null && kind != ScheduleSpec.Kind.PIECEWISE) {
            throw new UsageException(
                    "--lr-at changes a rate that is constant otherwise: leave --schedule " + kind + " away");
        }
        double first = rate != null ? rate : experiment != null ? experiment.rate() : optimizer.defaultRate();
        return new ScheduleSpec(
                changes != null ? ScheduleSpec.Kind.PIECEWISE : kind != null ? kind : ScheduleSpec.Kind.CONSTANT,
                first,
                or(warmUp, 0.0),
                changes == null ? null : changes(),
                endRate,
                power,
                null,
                factor);
    }

    private List<ScheduleSpec.Change> changes() {
        return new TreeMap<>(changes)
                .entrySet().stream()
                        .map(change -> new ScheduleSpec.Change(change.getKey(), change.getValue()))
                        .toList();
    }

    private static <T> T or(T given, T otherwise) {
        return given != null ? given : otherwise;
    }
}
