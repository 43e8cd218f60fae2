package tenon.optim.train;

/**
 * Means over the last few steps, from the sums over the epoch that {@link Progress} tells. Feed it every step; after {@code every} of them, and at an epoch's end, it
 * holds a window to report.
 */
public final class StepWindow {
    private final int every;
    private int steps;
    private long samples;
    private double lossSum;
    private double rank1Sum;
    private double rank5Sum;
    private double loss;
    private double accuracy;
    private double accuracy5;

    /** @param every steps in a window, at least 1 */
    public StepWindow(int every) {
        if (every < 1) {
            throw new IllegalArgumentException("step window: every must be at least 1: every=" + every);
        }
        this.every = every;
    }

    /** Adds a step; true when a window is complete, whose means hold until the next call. */
    public boolean add(Trainer trainer, Progress progress) {
        boolean first = (progress.step() - 1) % trainer.stepsPerEpoch() == 0;
        if (first) {
            mark(0, 0, 0, 0);
        } else if (steps < 0) {
            // A run resumed in the middle of an epoch: the sums of before belong to no window.
            mark(progress);
            return false;
        }
        steps++;
        if (steps < every && progress.batch() < progress.batches()) {
            return false;
        }
        long count = progress.samples() - samples;
        if (count == 0) {
            return false;
        }
        loss = (progress.loss() * progress.samples() - lossSum) / count;
        accuracy = (progress.accuracy() * progress.samples() - rank1Sum) / count;
        accuracy5 = (progress.accuracy5() * progress.samples() - rank5Sum) / count;
        mark(progress);
        return true;
    }

    /** To be called when training begins or goes on. */
    public void begin() {
        steps = -1;
    }

    private void mark(Progress progress) {
        mark(
                progress.samples(),
                progress.loss() * progress.samples(),
                progress.accuracy() * progress.samples(),
                progress.accuracy5() * progress.samples());
    }

    private void mark(long newSamples, double newLoss, double newRank1, double newRank5) {
        steps = 0;
        samples = newSamples;
        lossSum = newLoss;
        rank1Sum = newRank1;
        rank5Sum = newRank5;
    }

    public double loss() {
        return loss;
    }

    public double accuracy() {
        return accuracy;
    }

    public double accuracy5() {
        return accuracy5;
    }
}
