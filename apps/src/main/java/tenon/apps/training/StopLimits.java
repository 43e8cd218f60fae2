package tenon.apps.training;

import java.time.Duration;
import java.util.function.LongSupplier;
import tenon.apps.cli.UsageException;
import tenon.optim.train.Callback;
import tenon.optim.train.EpochRecord;
import tenon.optim.train.Progress;
import tenon.optim.train.Trainer;

/**
 * When a command stops before its run is complete, to be gone on with later.
 *
 * @param untilEpoch epochs done, or null
 * @param maxSteps updates of this command, or null
 * @param maxTime of this command, or null
 */
record StopLimits(Integer untilEpoch, Long maxSteps, Duration maxTime) {
    static final StopLimits NONE = new StopLimits(null, null, null);

    StopLimits {
        if (untilEpoch != null && untilEpoch < 1) {
            throw new UsageException("--until must be at least 1: " + untilEpoch);
        }
        if (maxSteps != null && maxSteps < 1) {
            throw new UsageException("--max-steps must be at least 1: " + maxSteps);
        }
        if (maxTime != null && !maxTime.isPositive()) {
            throw new UsageException("--max-time must be at least 1s: " + maxTime.toSeconds() + "s");
        }
    }

    int epochs(int planned) {
        return untilEpoch == null ? planned : Math.min(untilEpoch, planned);
    }

    Watch watch() {
        return watch(System::nanoTime);
    }

    /** @param clock in nanoseconds; time counts from this call on */
    Watch watch(LongSupplier clock) {
        return new Watch(this, clock);
    }

    /** Stops a trainer when a limit is reached. */
    static final class Watch implements Callback {
        private final StopLimits limits;
        private final LongSupplier clock;
        private final long start;
        private long steps;
        private String reached;

        private Watch(StopLimits limits, LongSupplier clock) {
            this.limits = limits;
            this.clock = clock;
            start = clock.getAsLong();
        }

        @Override
        public void onStepEnd(Trainer trainer, Progress progress) {
            steps++;
            if (limits.maxSteps != null && steps >= limits.maxSteps) {
                stop(trainer, "--max-steps " + limits.maxSteps);
            } else if (limits.maxTime != null && clock.getAsLong() - start >= limits.maxTime.toNanos()) {
                stop(trainer, "--max-time");
            }
        }

        @Override
        public void onEpochEnd(Trainer trainer, EpochRecord epoch) {
            if (limits.untilEpoch != null && epoch.epoch() >= limits.untilEpoch) {
                reached = "--until " + limits.untilEpoch;
            }
        }

        private void stop(Trainer trainer, String limit) {
            reached = limit;
            trainer.requestStop();
        }

        /** The limit that was reached, or null. */
        String reached() {
            return reached;
        }
    }
}
