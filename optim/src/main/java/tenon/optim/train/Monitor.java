package tenon.optim.train;

/**
 * A watched metric and what counts as better.
 *
 * @param maximise false when smaller is better
 * @param minDelta by how much a value must beat the best one
 */
public record Monitor(Metric metric, boolean maximise, double minDelta) {
    public Monitor {
        if (!(minDelta >= 0)) {
            throw new IllegalArgumentException("monitor: minDelta must be at least 0: minDelta=" + minDelta);
        }
    }

    /** By name, e.g. {@code val_acc}: larger is better where the name contains "acc", smaller otherwise, as in Keras. */
    public static Monitor of(String key) {
        return new Monitor(Metric.byKey(key), key.contains("acc"), 0);
    }

    public Monitor withMinDelta(double newMinDelta) {
        return new Monitor(metric, maximise, newMinDelta);
    }

    /** The value that everything beats. */
    public double worst() {
        return maximise ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
    }

    /** Strictly better by more than {@code minDelta}; NaN never is. */
    public boolean isBetter(double value, double best) {
        return maximise ? value - minDelta > best : value + minDelta < best;
    }
}
