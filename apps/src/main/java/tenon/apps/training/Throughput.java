package tenon.apps.training;

import tenon.optim.train.Callback;
import tenon.optim.train.Progress;
import tenon.optim.train.Trainer;

/** Counts training images and the time they take, from an epoch's begin to its last step: without validation and checkpoints. */
final class Throughput implements Callback {
    private long images;
    private long nanos;
    private long epochImages;
    private long last;

    @Override
    public void onEpochBegin(Trainer trainer, int epoch) {
        last = System.nanoTime();
        epochImages = -1;
    }

    @Override
    public void onStepEnd(Trainer trainer, Progress progress) {
        long now = System.nanoTime();
        if (epochImages >= 0) {
            images += progress.samples() - epochImages;
            nanos += now - last;
        } else {
            // The first step of an epoch: a resumed one begins with the samples of before.
            images += progress.samples()
                    - (progress.batch() - 1L) * trainer.training().batchSize();
            nanos += now - last;
        }
        epochImages = progress.samples();
        last = now;
    }

    /** The part of that time that {@code waited} nanoseconds are. */
    double share(long waited) {
        return nanos == 0 ? 0 : Math.min(1, (double) waited / nanos);
    }

    double imagesPerSecond() {
        return nanos == 0 ? 0 : images / (nanos * 1e-9);
    }
}
