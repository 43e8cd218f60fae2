package tenon.optim.train;

import tenon.engine.NonFiniteException;
import tenon.engine.data.Batch;

/**
 * Runs training steps: forward, loss, backward, update. What a step showed goes to the epoch's meter, in the order of the steps and possibly some steps
 * later: a device that computes on its own is not waited for.
 */
interface StepRunner extends AutoCloseable {
    /** @throws NonFiniteException when the loss of this step, or of an earlier one, is not finite; parameters are those before that step */
    void run(Batch batch, StepId id);

    /** Waits for all steps, so that the meter knows of them. Throws as {@link #run} does. */
    void finish();

    @Override
    void close();

    /** @param problem what the device says about it, or null */
    static NonFiniteException failure(StepId id, double loss, String problem) {
        return new NonFiniteException(
                "trainer: the loss must stay finite: epoch=" + id.epoch() + ", batch=" + id.batch() + ", step="
                        + id.step() + ", rate=" + id.rate() + ", loss=" + loss
                        + (problem == null ? "" : ", " + problem)
                        + " (lower the learning rate, clip gradients, or check the data; the last checkpoint"
                        + " is untouched)");
    }
}
