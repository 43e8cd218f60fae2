package tenon.apps.training;

import tenon.optim.train.Callback;
import tenon.optim.train.EpochRecord;
import tenon.optim.train.Progress;
import tenon.optim.train.Trainer;

/** Counts training images and the time they take, from an epoch's begin to its last step: without validation and checkpoints. */
final class Throughput implements Callback {
    private long images;
    private long nanos;
    private long epochImages;
    private long unfinishedNanos;
    private long last;

    @Override
    public void onEpochBegin(Trainer trainer, int epoch) {
        last = System.nanoTime();
        epochImages = -1;
        unfinishedNanos = 0;
    }

    @Override
    public void onEpochEnd(Trainer trainer, EpochRecord epoch) {
        unfinishedNanos = 0;
    }

    @Override
    public void onStepEnd(Trainer trainer, Progress progress) {
        long now = System.nanoTime();
        if (epochImages >= 0) {
            images += progress.samples() - epochImages;
        } else {
            // The first step of an epoch: a resumed one begins with the samples of before.
            images += progress.samples()
                    - (progress.batch() - 1L) * trainer.training().batchSize();
        }
        nanos += now - last;
        unfinishedNanos += now - last;
        epochImages = progress.samples();
        last = now;
    }

    /** The part of that time that {@code waited} nanoseconds are. */
    double share(long waited) {
        return nanos == 0 ? 0 : Math.min(1, (double) waited / nanos);
    }

    /** Of an epoch that was stopped before its end; 0 where the last one has ended. */
    double unfinishedSeconds() {
        return unfinishedNanos * 1e-9;
    }

    double imagesPerSecond() {
        return nanos == 0 ? 0 : images / (nanos * 1e-9);
    }
}
