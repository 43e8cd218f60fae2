package tenon.optim.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import tenon.optim.checkpoint.CheckpointException;

/**
 * The file {@code state.json} of a checkpoint: where training stands. Doubles are written so that reading gives the same bits.
 *
 * @param format version of this file
 * @param epoch epochs complete
 * @param batch batches of the next epoch that are done
 * @param step updates done
 * @param running sums over those batches
 * @param seed of dropout masks and the like
 * @param batchSize of the training data
 * @param batchesPerEpoch of the training data
 * @param optimizer its settings
 * @param optimizerSteps its own count of steps
 * @param schedule as text; for the reader
 * @param bestMetric which metric {@code bestValue} is of
 * @param bestValue best among the checkpoints saved
 * @param stopReason why training is over, or null
 * @param callbacks state by key
 * @param history lists by metric
 * @param manifest what the run was made with, or null
 */
record TrainingState(
        int format,
        int epoch,
        int batch,
        long step,
        Running running,
        long seed,
        int batchSize,
        int batchesPerEpoch,
        Map<String, String> optimizer,
        long optimizerSteps,
        String schedule,
        String bestMetric,
        double bestValue,
        String stopReason,
        Map<String, JsonNode> callbacks,
        JsonNode history,
        RunManifest manifest) {
    static final String FILE = "state.json";
    static final int FORMAT = 1;

    private static final JsonMapper JSON = new JsonMapper();

    /** Sums over an unfinished epoch. */
    record Running(long samples, double lossSum, long ranked, long rank1, long rank5, double seconds) {}

    byte[] toBytes() {
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("training state could not be written as JSON: " + e, e);
        }
    }

    static TrainingState read(Path checkpoint) {
        Path file = checkpoint.resolve(FILE);
        TrainingState state;
        try {
            state = JSON.readValue(file.toFile(), TrainingState.class);
        } catch (IOException e) {
            throw new CheckpointException("checkpoint: '" + file + "' could not be read: " + e.getMessage(), e);
        }
        if (state.format != FORMAT) {
            throw new CheckpointException("checkpoint: '" + file + "' must have format " + FORMAT + ": format="
                    + state.format + " (written by another version of Tenon)");
        }
        return state;
    }
}
