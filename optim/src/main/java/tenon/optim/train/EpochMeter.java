package tenon.optim.train;

import java.lang.foreign.MemorySegment;
import tenon.engine.Tensor;
import tenon.optim.metrics.RankCounter;

/** Means over the batches of an epoch. */
final class EpochMeter {
    private final RankCounter ranks = new RankCounter();
    private double lossSum;
    private long samples;
    private double secondsBefore;
    private long startNanos;
    private boolean running;
    private long samplesBefore;

    /** Goes on from these sums. */
    void restore(TrainingState.Running sums) {
        restoreCounts(sums);
        secondsBefore = sums.seconds();
    }

    /** Undoes what was added since these sums were taken; the clock runs on. */
    void restoreCounts(TrainingState.Running sums) {
        lossSum = sums.lossSum();
        samples = sums.samples();
        ranks.restore(sums.ranked(), sums.rank1(), sums.rank5());
    }

    void reset() {
        running = false;
        restore(new TrainingState.Running(0, 0, 0, 0, 0, 0));
    }

    void startClock() {
        samplesBefore = samples;
        startNanos = System.nanoTime();
        running = true;
    }

    void stopClock() {
        secondsBefore = seconds();
        running = false;
    }

    /** @param loss mean over the batch */
    void add(Tensor logits, Tensor target, double loss, int batchSize) {
        add(loss, batchSize);
        ranks.add(logits, target);
    }

    /** @param reading what was downloaded, or null where there are no classes to count */
    void add(RankCounter.Reading reading, MemorySegment scores, MemorySegment truth, double loss, int batchSize) {
        add(loss, batchSize);
        if (reading != null) {
            ranks.add(reading, scores, truth);
        }
    }

    private void add(double loss, int batchSize) {
        lossSum += loss * batchSize;
        samples += batchSize;
    }

    long samples() {
        return samples;
    }

    double loss() {
        return lossSum / samples;
    }

    RankCounter ranks() {
        return ranks;
    }

    double seconds() {
        return secondsBefore + (running ? (System.nanoTime() - startNanos) * 1e-9 : 0);
    }

    double imagesPerSecond() {
        return (samples - samplesBefore) / Math.max(1e-9, (System.nanoTime() - startNanos) * 1e-9);
    }

    TrainingState.Running state() {
        return new TrainingState.Running(
                samples, lossSum, ranks.samples(), ranks.rank1Count(), ranks.rank5Count(), seconds());
    }
}
