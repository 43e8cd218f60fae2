package tenon.optim.schedule;

import java.util.List;

/** Argument checks of the schedules. */
final class Check {
    private Check() {}

    static void rate(String schedule, String name, double value) {
        if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    schedule + ": " + name + " must be finite and at least 0: " + name + "=" + value);
        }
    }

    static void positive(String schedule, String name, long value) {
        if (value < 1) {
            throw new IllegalArgumentException(schedule + ": " + name + " must be at least 1: " + name + "=" + value);
        }
    }

    static void positive(String schedule, String name, double value) {
        if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(schedule + ": " + name + " must be positive: " + name + "=" + value);
        }
    }

    static void rising(String schedule, String name, List<Long> values) {
        for (int i = 0; i < values.size(); i++) {
            if (values.get(i) <= (i == 0 ? 0 : values.get(i - 1))) {
                throw new IllegalArgumentException(
                        schedule + ": " + name + " must be positive and rise strictly: " + name + "=" + values);
            }
        }
    }
}
