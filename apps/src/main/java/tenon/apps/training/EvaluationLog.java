package tenon.apps.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import tenon.engine.TenonException;
import tenon.optim.checkpoint.AtomicFiles;

/** What {@code tenon evaluate} has measured of a run's checkpoints, in a file of the run's folder. */
public final class EvaluationLog {
    static final String FILE = "evaluations.json";

    /** Stays, empty: were it removed while another process waits for it, that one would lock nothing. */
    static final String LOCK_FILE = ".evaluations.lock";

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
     * @param precision that was computed in: {@code fp32}, as in files of before it was kept, {@code tf32} or {@code bf16}
     * @param device {@code cpu}, {@code cuda} or {@code reference}; null in files of before it was kept
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
            String precision,
            String device,
            long samples,
            double rank1,
            double rank5,
            double loss,
            String date) {
        public Entry {
            precision = precision == null ? "fp32" : precision;
        }

        /** Whether the other measures the same in the same arithmetic; an unknown device may have been any. */
        private boolean isRepeatedBy(Entry other) {
            return checkpoint.equals(other.checkpoint)
                    && data.equals(other.data)
                    && crops == other.crops
                    && Objects.equals(resize, other.resize)
                    && precision.equals(other.precision)
                    && (device == null || device.equals(other.device));
        }
    }

    /**
     * In the order in which they were measured.
     *
     * @param run the run's folder
     * @throws TenonException when the file is damaged
     */
    static List<Entry> read(Path run) throws IOException {
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

    /**
     * As {@link #read}, without those of checkpoints that the run gave up when it went back to an earlier one.
     *
     * @throws TenonException when the file is damaged
     */
    public static List<Entry> ofWholeWay(Path run) throws IOException {
        List<Entry> all = read(run);
        if (all.isEmpty()) {
            return all;
        }
        Predicate<Path> givenUp = new RunFolder(run).givenUp();
        return all.stream()
                .filter(entry -> !givenUp.test(Path.of(entry.checkpoint())))
                .toList();
    }

    /**
     * Adds measurements; who measures the same again replaces what was found before. What others add at the same time,
     * in this process (which holds a file's lock but once) or in another, is not lost.
     */
    static synchronized Path add(Path run, List<Entry> measured) throws IOException {
        try (FileChannel channel =
                        FileChannel.open(run.resolve(LOCK_FILE), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock _ = channel.lock()) {
            List<Entry> entries = new ArrayList<>(read(run));
            entries.removeIf(old -> measured.stream().anyMatch(old::isRepeatedBy));
            entries.addAll(measured);
            Path file = run.resolve(FILE);
            AtomicFiles.replace(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(entries));
            return file;
        }
    }
}
