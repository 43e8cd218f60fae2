package tenon.apps.training;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import tenon.apps.cli.UsageException;
import tenon.optim.schedule.Schedule;

/**
 * A learning-rate schedule in terms of epochs.
 *
 * @param kind see {@link Kind}
 * @param rate the base rate: the first one, or the peak after warming up
 * @param warmUpEpochs epochs that rise linearly from rate / 10; not for {@code one-cycle}, which has its own rise
 * @param changes of {@code piecewise}, in rising order; null otherwise
 * @param endRate of {@code cosine}, {@code linear} and {@code polynomial}, 0 if null
 * @param power of {@code polynomial}, 2 if null
 * @param factor of {@code exponential}, 0.98 if null
 * @param fromEpoch epochs done when it begins, 0 if null: a run that goes on at another rate begins its schedule there
 */
public record ScheduleSpec(
        Kind kind,
        double rate,
        double warmUpEpochs,
        List<Change> changes,
        Double endRate,
        Double power,
        Integer fromEpoch,
        Double factor) {
    /**
     * Another rate from some epoch on.
     *
     * @param epoch epochs done when it begins to hold
     */
    public record Change(int epoch, double rate) {
        public Change {
            if (epoch < 1 || !(rate > 0 && rate < Double.POSITIVE_INFINITY)) {
                throw new UsageException("a change of the rate needs an epoch of at least 1 and a positive rate: epoch="
                        + epoch + ", rate=" + rate);
            }
        }
    }

    public enum Kind {
        /** Always the same rate. */
        CONSTANT,
        /** Divided by 10 after one third and after two thirds of the epochs. */
        STEP,
        /** Half a cosine down to 0. */
        COSINE,
        /** A straight line down to 0. */
        LINEAR,
        /** rate / (1 + decay·update) with decay = rate / epochs, the rule of the Keras 2 tutorials. */
        TIME_DECAY,
        /** Up from rate / 25 over the first 20 % of the updates, then down to nearly 0. */
        ONE_CYCLE,
        /** rate·(1 − progress)^power. */
        POLYNOMIAL,
        /** Multiplied by a factor after each epoch. */
        EXPONENTIAL,
        /** Constant but for given changes: runs that were stopped and gone on with at another rate. */
        PIECEWISE;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    public ScheduleSpec {
        if (!(rate > 0 && rate < Double.POSITIVE_INFINITY)) {
            throw new UsageException("the learning rate must be positive: " + rate);
        }
        if (!(warmUpEpochs >= 0 && warmUpEpochs < Double.POSITIVE_INFINITY)) {
            throw new UsageException("warm-up epochs must be at least 0: " + warmUpEpochs);
        }
        if (kind == Kind.ONE_CYCLE && warmUpEpochs > 0) {
            throw new UsageException("one-cycle has a rise of its own: leave warm-up epochs at 0");
        }
        changes = changes == null ? null : List.copyOf(changes);
        if ((kind == Kind.PIECEWISE) != (changes != null && !changes.isEmpty())) {
            throw new UsageException("schedule piecewise and changes of the rate (--lr-at) need each other: " + kind);
        }
        for (int i = 1; changes != null && i < changes.size(); i++) {
            if (changes.get(i).epoch() <= changes.get(i - 1).epoch()) {
                throw new UsageException(
                        "--lr-at: epochs must rise: " + changes.get(i - 1).epoch() + ", then "
                                + changes.get(i).epoch());
            }
        }
        if (endRate != null && !(endRate >= 0 && endRate <= rate)) {
            throw new UsageException("--lr-end must lie between 0 and the rate: " + endRate);
        }
        if (endRate != null && kind != Kind.COSINE && kind != Kind.LINEAR && kind != Kind.POLYNOMIAL) {
            throw new UsageException("--lr-end is for cosine, linear and polynomial: " + kind);
        }
        if (power != null && !(kind == Kind.POLYNOMIAL && power > 0 && power < 100)) {
            throw new UsageException("--lr-power is polynomial's and positive: " + power + " with " + kind);
        }
        if (factor != null && !(kind == Kind.EXPONENTIAL && factor > 0 && factor <= 1)) {
            throw new UsageException("--lr-factor is exponential's, and lies in (0, 1]: " + factor + " with " + kind);
        }
        if (fromEpoch != null && fromEpoch < 0) {
            throw new UsageException("a schedule begins at an epoch of at least 0: " + fromEpoch);
        }
    }

    public ScheduleSpec(Kind kind, double rate, double warmUpEpochs) {
        this(kind, rate, warmUpEpochs, null, null, null, null, null);
    }

    /** Multiplied by a factor after each epoch. */
    public static ScheduleSpec exponential(double rate, double factor) {
        return new ScheduleSpec(Kind.EXPONENTIAL, rate, 0, null, null, null, null, factor);
    }

    /** {@code rate} until the first change. */
    public static ScheduleSpec piecewise(double rate, List<Change> changes) {
        return new ScheduleSpec(
                changes.isEmpty() ? Kind.CONSTANT : Kind.PIECEWISE,
                rate,
                0,
                changes.isEmpty() ? null : changes,
                null,
                null,
                null,
                null);
    }

    /** From {@code epoch} on {@code newRate}, constant or falling as {@code newKind} does over the rest of the epochs. */
    ScheduleSpec goingOn(int epoch, double newRate, Kind newKind) {
        return new ScheduleSpec(newKind, newRate, 0, null, null, null, epoch, null);
    }

    /** Epochs done when another rate begins to hold. */
    Set<Integer> changeEpochs() {
        return changes == null ? Set.of() : changes.stream().map(Change::epoch).collect(Collectors.toSet());
    }

    public Schedule schedule(long stepsPerEpoch, int epochs) {
        int begun = fromEpoch == null ? 0 : fromEpoch;
        Schedule own = whole(stepsPerEpoch, Math.max(1, epochs - begun));
        return begun == 0 ? own : own.delayed(begun * stepsPerEpoch);
    }

    private Schedule whole(long stepsPerEpoch, int epochs) {
        long steps = stepsPerEpoch * epochs;
        long warmUp = Math.min(Math.round(warmUpEpochs * stepsPerEpoch), steps - 1);
        long rest = steps - warmUp;
        double end = endRate == null ? 0 : endRate;
        Schedule base = switch (kind) {
            case CONSTANT -> Schedule.constant(rate);
            case STEP -> Schedule.step(rate, 0.1, Math.max(1, Math.ceilDiv(rest, 3)));
            case COSINE -> Schedule.cosine(rate, end, rest);
            case LINEAR -> Schedule.polynomial(rate, end, 1, rest);
            case POLYNOMIAL -> Schedule.polynomial(rate, end, power == null ? 2 : power, rest);
            case EXPONENTIAL -> Schedule.step(rate, factor == null ? 0.98 : factor, stepsPerEpoch);
            case PIECEWISE -> piecewise(stepsPerEpoch, warmUp);
            case TIME_DECAY -> Schedule.timeDecay(rate, rate / epochs);
            // A cycle needs a few updates to have a shape.
            case ONE_CYCLE -> steps < 10 ? Schedule.constant(rate / 10) : Schedule.oneCycle(rate, steps, 0.2, 25, 1e3);
        };
        return warmUp > 0 ? base.warmUp(warmUp, rate / 10) : base;
    }

    /** Changes happen at their epochs whatever the warm-up, whose steps the schedule does not count. */
    private Schedule piecewise(long stepsPerEpoch, long warmUp) {
        long[] boundaries = new long[changes.size()];
        double[] rates = new double[changes.size() + 1];
        rates[0] = rate;
        for (int i = 0; i < boundaries.length; i++) {
            boundaries[i] = changes.get(i).epoch() * stepsPerEpoch - warmUp;
            rates[i + 1] = changes.get(i).rate();
        }
        if (boundaries[0] <= 0) {
            throw new UsageException("--warm-up must end before the first --lr-at: " + warmUpEpochs + " epochs");
        }
        return Schedule.piecewise(boundaries, rates);
    }
}
