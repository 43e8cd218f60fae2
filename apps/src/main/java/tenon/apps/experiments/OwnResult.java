package tenon.apps.experiments;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import tenon.apps.training.EvaluationLog;
import tenon.engine.TenonException;
import tenon.optim.train.EpochRecord;
import tenon.optim.train.History;

/**
 * How far a run of an experiment has come. A run's {@code run.json} names the experiment as {@code config.experiment} or {@code config.original.name}.
 *
 * @param last validation after the last epoch, as the published results are
 * @param best validation after the epoch of the highest rank-1, the first of several
 * @param evaluations what was measured on other pictures of the checkpoints on its way to the last epoch
 */
public record OwnResult(
        String experiment, Path run, Validation last, Validation best, List<EvaluationLog.Entry> evaluations) {
    /**
     * In per cent.
     *
     * @param rank5 NaN where it was not measured
     */
    public record Validation(int epoch, double rank1, double rank5) {
        private static Validation of(EpochRecord epoch) {
            return new Validation(epoch.epoch(), 100 * epoch.validationAccuracy(), 100 * epoch.validationAccuracy5());
        }
    }

    /** A run's folder may stand as deep below the folder of runs. */
    private static final int DEPTH = 3;

    private static final ObjectMapper JSON = new ObjectMapper();

    /** The results of all runs of experiments below a folder, in the order of their paths; none where there is no such folder. */
    static List<OwnResult> below(Path runs) throws IOException {
        if (!Files.isDirectory(runs)) {
            return List.of();
        }
        try (Stream<Path> files = Files.find(
                runs, DEPTH, (file, _) -> file.getFileName().toString().equals("run.json"))) {
            return files.sorted()
                    .map(file -> read(file.getParent()))
                    .flatMap(Optional::stream)
                    .toList();
        }
    }

    /** Empty for a run that is of no experiment, has validated no epoch, or cannot be read. */
    private static Optional<OwnResult> read(Path folder) {
        try {
            JsonNode config = json(folder.resolve("run.json")).path("config");
            String experiment = config.path("experiment")
                    .asText(config.path("original").path("name").asText(""));
            Path historyFile = folder.resolve("history.json");
            if (experiment.isEmpty() || !Files.exists(historyFile)) {
                return Optional.empty();
            }
            List<EpochRecord> epochs = History.fromJson(json(historyFile)).epochs();
            if (epochs.isEmpty() || Double.isNaN(epochs.getLast().validationAccuracy())) {
                return Optional.empty();
            }
            EpochRecord best = epochs.getLast();
            for (EpochRecord epoch : epochs.reversed()) {
                best = epoch.validationAccuracy() >= best.validationAccuracy() ? epoch : best;
            }
            return Optional.of(new OwnResult(
                    experiment, folder, Validation.of(epochs.getLast()), Validation.of(best), evaluations(folder)));
        } catch (IOException | TenonException e) {
            return Optional.empty();
        }
    }

    private static List<EvaluationLog.Entry> evaluations(Path folder) throws IOException {
        try {
            return EvaluationLog.ofWholeWay(folder);
        } catch (TenonException _) {
            // Damaged: evaluate says so. What training found is good all the same.
            return List.of();
        }
    }

    private static JsonNode json(Path file) throws IOException, JsonProcessingException {
        return JSON.readTree(Files.readAllBytes(file));
    }
}
