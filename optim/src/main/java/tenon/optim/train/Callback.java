package tenon.optim.train;

/**
 * Is told of a training run; all methods do nothing unless overridden and run on the training thread, in the order in which the callbacks were
 * given. A callback may end the run with {@link Trainer#stop}.
 */
public interface Callback {
    /** @param epochs how many epochs there will be, those before a resume included */
    default void onTrainBegin(Trainer trainer, int epochs) {}

    /** @param epoch number of the epoch, from 1; called again when a resumed run goes on in its middle */
    default void onEpochBegin(Trainer trainer, int epoch) {}

    default void onStepEnd(Trainer trainer, Progress progress) {}

    /** After validation, before the checkpoint. */
    default void onEpochEnd(Trainer trainer, EpochRecord epoch) {}

    /** At the end of {@code fit}, after the last checkpoint, unless an exception ended it. */
    default void onTrainEnd(Trainer trainer) {}
}
