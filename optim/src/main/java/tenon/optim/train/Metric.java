package tenon.optim.train;

import java.util.Arrays;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/** The columns of a history, by the names Keras gives them. */
public enum Metric {
    EPOCH("epoch", EpochRecord::epoch),
    STEP("step", EpochRecord::step),
    RATE("rate", EpochRecord::rate),
    LOSS("loss", EpochRecord::loss),
    ACCURACY("acc", EpochRecord::accuracy),
    ACCURACY5("acc5", EpochRecord::accuracy5),
    VALIDATION_LOSS("val_loss", EpochRecord::validationLoss),
    VALIDATION_ACCURACY("val_acc", EpochRecord::validationAccuracy),
    VALIDATION_ACCURACY5("val_acc5", EpochRecord::validationAccuracy5),
    SECONDS("seconds", EpochRecord::seconds);

    private final String key;
    private final ToDoubleFunction<EpochRecord> value;

    Metric(String key, ToDoubleFunction<EpochRecord> value) {
        this.key = key;
        this.value = value;
    }

    /** Name in files and options, e.g. {@code val_acc}. */
    public String key() {
        return key;
    }

    public double of(EpochRecord record) {
        return value.applyAsDouble(record);
    }

    /** True for counts, which are whole numbers. */
    boolean isWhole() {
        return this == EPOCH || this == STEP;
    }

    /** @throws IllegalArgumentException with the known names */
    public static Metric byKey(String key) {
        Optional<Metric> found =
                Arrays.stream(values()).filter(metric -> metric.key.equals(key)).findFirst();
        return found.orElseThrow(() -> new IllegalArgumentException("metric: the name must be one of "
                + Arrays.stream(values()).map(Metric::key).toList() + ": name=" + key));
    }
}
