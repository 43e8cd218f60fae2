package tenon.optim.train;

import java.nio.file.Path;
import tenon.optim.checkpoint.CheckpointException;

/**
 * Where training stands in a checkpoint.
 *
 * @param epoch epochs done
 * @param batch batches done of the next one
 * @param step updates done
 */
public record TrainingPosition(int epoch, int batch, long step) {
    /** @throws CheckpointException when the folder is no checkpoint of a trainer */
    public static TrainingPosition read(Path checkpoint) {
        TrainingState state = TrainingState.read(checkpoint);
        return new TrainingPosition(state.epoch(), state.batch(), state.step());
    }

    public boolean atEpochEnd() {
        return batch == 0;
    }
}
