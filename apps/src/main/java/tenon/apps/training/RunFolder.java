package tenon.apps.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import tenon.engine.TenonException;
import tenon.optim.checkpoint.AtomicFiles;
import tenon.optim.checkpoint.CheckpointStore;
import tenon.optim.train.RunManifest;

/**
 * The folder of a training run:
 *
 * <pre>
 * run.json       configuration, whether it is finished, and what it was made with
 * checkpoints/   see {@link CheckpointStore}
 * history.json   and history.csv: loss, accuracy and rate per epoch
 * </pre>
 */
public record RunFolder(Path folder) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int KEPT_CHECKPOINTS = 2;

    /** The run that a folder is, or that a checkpoint's folder or the folder of checkpoints belongs to. */
    static RunFolder around(Path inner) {
        Path start = inner.toAbsolutePath().normalize();
        for (Path candidate : new Path[] {start, parent(start), parent(parent(start))}) {
            if (candidate != null && Files.isRegularFile(candidate.resolve("run.json"))) {
                return new RunFolder(candidate);
            }
        }
        throw new TenonException(inner + ": this is neither the folder of a training run nor of one of its checkpoints"
                + " (there is no run.json in it or above it)");
    }

    private static Path parent(Path path) {
        return path == null ? null : path.getParent();
    }

    Path runFile() {
        return folder.resolve("run.json");
    }

    CheckpointStore store() {
        return CheckpointStore.open(folder.resolve("checkpoints"), KEPT_CHECKPOINTS);
    }

    /** Whether there is something that a new run would mix with. */
    boolean isUsed() {
        return Files.exists(runFile());
    }

    void write(RunConfig config, RunManifest manifest, boolean finished) throws IOException {
        Files.createDirectories(folder);
        ObjectNode root = JSON.createObjectNode();
        root.set("config", config.toJson());
        root.put("finished", finished);
        root.set("manifest", manifest.toJson());
        AtomicFiles.replace(runFile(), JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(root));
    }

    RunConfig readConfig() throws IOException {
        return RunConfig.fromJson(read().path("config"), runFile());
    }

    boolean isFinished() throws IOException {
        return read().path("finished").asBoolean();
    }

    /** What decoded pictures when the run was last written, if there is a record of it. */
    Optional<String> decoder() throws IOException {
        return Optional.ofNullable(
                read().path("manifest").path("extras").path("decoder").textValue());
    }

    private JsonNode read() throws IOException {
        try {
            return JSON.readTree(Files.readAllBytes(runFile()));
        } catch (JsonProcessingException e) {
            throw new TenonException(runFile() + ": is damaged: " + e.getOriginalMessage(), e);
        }
    }

    /**
     * The checkpoint that {@code named} means: itself if it is one; for the run's folder the best, or else the newest whole one.
     */
    Path checkpoint(Path named) {
        if (Files.exists(named.resolve("model.safetensors"))) {
            CheckpointStore.problem(named).ifPresent(problem -> {
                throw new TenonException("checkpoint " + named + " is not whole: " + problem);
            });
            return named;
        }
        CheckpointStore store = store();
        Optional<Path> found = store.best().or(() -> store.recover().checkpoint());
        return found.orElseThrow(
                () -> new TenonException("run " + folder + ": there is no whole checkpoint in " + store.folder()));
    }

    /** Deletes what an earlier run left, but not data. */
    void clear() throws IOException {
        deleteTree(folder.resolve("checkpoints"));
        for (String name : List.of("run.json", "history.json", "history.csv")) {
            Files.deleteIfExists(folder.resolve(name));
        }
    }

    /** Deletes a run's folder with all that is in it, unless its run can be gone on with. */
    public static void deleteIfFinished(Path folder) throws IOException {
        RunFolder run = new RunFolder(folder);
        if (!run.isUsed() || run.isFinished()) {
            deleteTree(folder);
        }
    }

    static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(root)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
