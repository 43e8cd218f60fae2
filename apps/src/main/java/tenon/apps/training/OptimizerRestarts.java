package tenon.apps.training;

import java.util.Set;
import tenon.optim.train.Callback;
import tenon.optim.train.EpochRecord;
import tenon.optim.train.Trainer;

/**
 * Begins the optimizer's state anew after given epochs, before they are saved.
 *
 * @param epochs numbers, from 1
 */
record OptimizerRestarts(Set<Integer> epochs) implements Callback {
    @Override
    public void onEpochEnd(Trainer trainer, EpochRecord epoch) {
        if (epochs.contains(epoch.epoch())) {
            trainer.optimizer().restart();
        }
    }
}
