package tenon.apps.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import tenon.engine.TenonException;
import tenon.optim.checkpoint.AtomicFiles;

/** What {@code tenon evaluate} has measured of a run's checkpoints, in a file of the run's folder. */
public final class EvaluationLog {
    static final String FILE = "evaluations.json";

    private static final ObjectMapper JSON = new ObjectMapper();

    private EvaluationLog() {}

    /**
     * One measurement.
     *
     * @param checkpoint relative to the run's folder
     * @param epoch epochs that it had done
     * @param data absolute path
     * @param split what the records call themselves, e.g. {@code test}
     * @param crops views of each picture
     * @param resize length to which the shorter side was scaled; null where pictures were taken as they are stored
     * @param samples pictures
     * @param rank1 a share, as is {@code rank5}
     * @param date in UTC, e.g. {@code 2026-05-01T12:30:00Z}
     */
    public record Entry(
            String checkpoint,
            int epoch,
            String data,
            String split,
            int crops,
            Integer resize,
            long samples,
            double rank1,
            double rank5,
            double loss,
            String date) {
        /** Whether both measure the same. */
        private boolean repeats(Entry other) {
            return checkpoint.equals(other.checkpoint)
                    && data.equals(other.data)
                    && crops == other.crops
                    && Objects.equals(resize, other.resize);
        }
    }

    /**
     * In the order in which they were measured.
     *
     * @param run the run's folder
     * @throws TenonException when the file is damaged
     */
    public static List<Entry> read(Path run) throws IOException {
        Path file = run.resolve(FILE);
        if (!Files.exists(file)) {
            return List.of();
        }
        try {
            return List.of(JSON.readValue(Files.readAllBytes(file), Entry[].class));
        } catch (JsonProcessingException e) {
            throw new TenonException(file + ": is damaged: " + e.getOriginalMessage(), e);
        }
    }

    /** Adds measurements; who measures the same again replaces what was found before. */
    static Path add(Path run, List<Entry> measured) throws IOException {
        List<Entry> entries = new ArrayList<>(read(run));
        entries.removeIf(old -> measured.stream().anyMatch(old::repeats));
        entries.addAll(measured);
        Path file = run.resolve(FILE);
        AtomicFiles.replace(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(entries));
        return file;
    }
}
