package tenon.apps.training;

import java.util.Locale;
import tenon.apps.cli.UsageException;
import tenon.optim.schedule.Schedule;

/**
 * A learning-rate schedule in terms of epochs.
 *
 * @param kind see {@link Kind}
 * @param rate the base rate: the first one, or the peak after warming up
 * @param warmUpEpochs epochs that rise linearly from rate / 10; not for {@code one-cycle}, which has its own rise
 */
public record ScheduleSpec(Kind kind, double rate, double warmUpEpochs) {
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
        ONE_CYCLE;

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
    }

    public Schedule schedule(long stepsPerEpoch, int epochs) {
        long steps = stepsPerEpoch * epochs;
        long warmUp = Math.min(Math.round(warmUpEpochs * stepsPerEpoch), steps - 1);
        long rest = steps - warmUp;
        Schedule base = switch (kind) {
            case CONSTANT -> Schedule.constant(rate);
            case STEP -> Schedule.step(rate, 0.1, Math.max(1, Math.ceilDiv(rest, 3)));
            case COSINE -> Schedule.cosine(rate, 0, rest);
            case LINEAR -> Schedule.polynomial(rate, 0, 1, rest);
            case TIME_DECAY -> Schedule.timeDecay(rate, rate / epochs);
            // A cycle needs a few updates to have a shape.
            case ONE_CYCLE -> steps < 10 ? Schedule.constant(rate / 10) : Schedule.oneCycle(rate, steps, 0.2, 25, 1e3);
        };
        return warmUp > 0 ? base.warmUp(warmUp, rate / 10) : base;
    }
}
