package tenon.optim.train;

import tenon.engine.NonFiniteException;
import tenon.engine.data.BatchIterator;

/**
 * Runs training steps: forward, loss, backward, update. What a step showed goes to the epoch's meter, in the order of the steps and possibly some steps
 * later: a device that computes on its own is not waited for.
 */
interface StepRunner extends AutoCloseable {
    /**
     * Runs a step on the next {@link StepId#batches} batches.
     *
     * @throws NonFiniteException when a loss of this step, or of an earlier one, is not finite; parameters are those before that step
     */
    void run(BatchIterator batches, StepId id);

    /** Waits for all steps, so that the meter knows of them. Throws as {@link #run} does. */
    void finish();

    /** How devices exchange gradients, for people; null on one device. */
    default String communication() {
        return null;
    }

    @Override
    void close();

    /** @param problem what the device says about it, or null */
    static NonFiniteException failure(StepId id, double loss, String problem) {
        return new NonFiniteException("trainer: the loss must stay finite: " + text(id) + ", loss=" + loss
                + (problem == null ? "" : ", " + problem)
                + " (lower the learning rate, clip gradients, or check the data; the last checkpoint"
                + " is untouched)");
    }

    /** A failure of an op or of the update, with the step in which it happened. */
    static NonFiniteException named(StepId id, NonFiniteException failure) {
        return failure.getMessage().startsWith("trainer: ")
                ? failure
                : new NonFiniteException("trainer: " + text(id) + ": " + failure.getMessage());
    }

    static String text(StepId id) {
        return "epoch=" + id.epoch() + ", batch=" + id.batch() + ", step=" + id.step() + ", rate=" + id.rate();
    }
}
