package tenon.apps.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import tenon.engine.TenonException;
import tenon.optim.checkpoint.AtomicFiles;
import tenon.optim.checkpoint.CheckpointStore;
import tenon.optim.train.History;
import tenon.optim.train.RunManifest;
import tenon.optim.train.TrainingPosition;

/**
 * The folder of a training run:
 *
 * <pre>
 * run.json       configuration, whether it is finished, its branches, and what it was made with
 * checkpoints/   of the first branch, see {@link CheckpointStore}; checkpoints-2/ of the second, and so on
 * history.json   and history.csv: loss, accuracy and rate per epoch, from the first on to where the newest branch is
 * history-1.json and .csv: the same of an earlier branch
 * tensorboard/   event files, a folder per branch
 * evaluations.json, confusion.png and mistakes.png: of {@code tenon evaluate}, see {@link EvaluationLog}
 * .evaluations.lock  while it writes them
 * </pre>
 */
public record RunFolder(Path folder) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern OWN = Pattern.compile(
            "run\\.json|history(-\\d+)?\\.(json|csv)|checkpoints(-\\d+)?|tensorboard|evaluations\\.json|\\.evaluations\\.lock|(confusion|mistakes)\\.png");
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

    CheckpointStore store(Branch branch, CheckpointSettings settings) {
        return CheckpointStore.open(folder.resolve(branch.checkpoints()), settings.kept());
    }

    /** Whether there is something that a new run would mix with. */
    boolean isUsed() {
        return Files.exists(runFile());
    }

    void write(RunConfig config, List<Branch> branches, RunManifest manifest, boolean finished) throws IOException {
        Files.createDirectories(folder);
        ObjectNode root = JSON.createObjectNode();
        root.set("config", config.toJson());
        root.put("finished", finished);
        root.set("branches", JSON.valueToTree(branches));
        root.set("manifest", manifest.toJson());
        AtomicFiles.replace(runFile(), JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(root));
    }

    /** The run's branches, the newest last. */
    List<Branch> branches() throws IOException {
        JsonNode saved = read().path("branches");
        List<Branch> branches = new ArrayList<>();
        for (JsonNode branch : saved) {
            try {
                branches.add(JSON.treeToValue(branch, Branch.class));
            } catch (JsonProcessingException e) {
                throw new TenonException(runFile() + ": a branch is damaged: " + e.getOriginalMessage(), e);
            }
        }
        return branches.isEmpty() ? List.of(Branch.FIRST) : branches;
    }

    /** Puts a branch's history aside, so that a new branch can write its own. */
    void keepHistory(Branch branch) throws IOException {
        for (String ending : List.of(".json", ".csv")) {
            Path history = folder.resolve("history" + ending);
            if (Files.exists(history)) {
                Files.copy(history, folder.resolve(branch.history() + ending), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    /** What was measured up to where a branch is; empty before its first epoch. */
    History history(Branch branch, boolean newest) throws IOException {
        Path file = folder.resolve((newest ? "history" : branch.history()) + ".json");
        if (!Files.exists(file)) {
            return new History();
        }
        try {
            return History.fromJson(JSON.readTree(Files.readAllBytes(file)));
        } catch (JsonProcessingException e) {
            throw new TenonException(file + ": is damaged: " + e.getOriginalMessage(), e);
        }
    }

    /**
     * The checkpoint at the end of an epoch, on the way to where the run's newest branch is.
     *
     * @throws TenonException with the epochs that there are
     */
    Path checkpointOfEpoch(int epoch) throws IOException {
        TreeSet<Integer> known = new TreeSet<>();
        int limit = Integer.MAX_VALUE;
        for (Branch branch : way(branches())) {
            for (Map.Entry<Integer, Path> end : epochEnds(branch).entrySet()) {
                if (end.getKey() <= limit) {
                    if (end.getKey() == epoch) {
                        return end.getValue();
                    }
                    known.add(end.getKey());
                }
            }
            limit = branch.epoch();
        }
        throw new TenonException("run " + folder + ": there is no checkpoint of the end of epoch " + epoch
                + (known.isEmpty() ? ", nor of another" : ": there are those of " + known)
                + " (--keep all keeps each, --checkpoint-every says how often one is written)");
    }

    /** The newest branch, the one that it left, and so on to the first. */
    private static List<Branch> way(List<Branch> branches) {
        List<Branch> way = new ArrayList<>();
        for (Branch branch = branches.getLast(); ; branch = branches.get(branch.parent() - 1)) {
            way.add(branch);
            if (branch.parent() == 0) {
                return way;
            }
        }
    }

    /**
     * Whether a checkpoint, which need not be there any more, is of a branch that the run has left, and later than where
     * it left it. Of checkpoints that stand elsewhere, such as copies, nothing is known: they count as kept.
     *
     * @return of checkpoints by their paths relative to the run's folder
     */
    Predicate<Path> givenUp() throws IOException {
        List<Branch> branches = branches();
        return checkpoint -> isGivenUp(checkpoint, branches);
    }

    private static boolean isGivenUp(Path checkpoint, List<Branch> branches) {
        String owner = String.valueOf(checkpoint.getParent());
        long limit = Long.MAX_VALUE;
        for (Branch branch : way(branches)) {
            if (branch.checkpoints().equals(owner)) {
                return CheckpointStore.step(checkpoint).orElse(0) > limit;
            }
            if (branch.checkpoint() != null) {
                limit = CheckpointStore.step(Path.of(branch.checkpoint())).orElse(limit);
            }
        }
        return branches.stream().anyMatch(branch -> branch.checkpoints().equals(owner));
    }

    /** Checkpoints at the ends of epochs, by epochs done. */
    private Map<Integer, Path> epochEnds(Branch branch) {
        Map<Integer, Path> ends = new TreeMap<>();
        Path checkpoints = folder.resolve(branch.checkpoints());
        if (Files.isDirectory(checkpoints)) {
            for (Path checkpoint : CheckpointStore.open(checkpoints, 1).list()) {
                TrainingPosition position = TrainingPosition.read(checkpoint);
                if (position.atEpochEnd()) {
                    ends.put(position.epoch(), checkpoint);
                }
            }
        }
        return ends;
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
        return best().orElseThrow(() -> new TenonException(
                "run " + folder + ": there is no whole checkpoint in " + folder.resolve("checkpoints")));
    }

    /** A branch's newest whole checkpoint, or what it began from. */
    Optional<Path> newestCheckpoint(Branch branch) {
        Path checkpoints = folder.resolve(branch.checkpoints());
        Optional<Path> found = Files.isDirectory(checkpoints)
                ? CheckpointStore.open(checkpoints, 1).recover().checkpoint()
                : Optional.empty();
        return found.or(() -> Optional.ofNullable(branch.checkpoint()).map(folder::resolve));
    }

    /** Whether a branch has something to go on from. */
    boolean hasCheckpoint(Branch branch) {
        Path checkpoints = folder.resolve(branch.checkpoints());
        return branch.checkpoint() != null
                || Files.isDirectory(checkpoints)
                        && !CheckpointStore.open(checkpoints, 1).list().isEmpty();
    }

    /** The best checkpoint of the newest branch, or its newest whole one, or what it began from. */
    private Optional<Path> best() {
        Branch branch;
        try {
            branch = branches().getLast();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (Files.isDirectory(folder.resolve(branch.checkpoints()))) {
            CheckpointStore store = store(branch, CheckpointSettings.DEFAULT);
            Optional<Path> found = store.best().or(() -> store.recover().checkpoint());
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.ofNullable(branch.checkpoint()).map(folder::resolve);
    }

    /** Deletes what an earlier run left, but not data. */
    void clear() throws IOException {
        List<Path> own;
        try (Stream<Path> entries = Files.list(folder)) {
            own = entries.filter(
                            path -> OWN.matcher(path.getFileName().toString()).matches())
                    .toList();
        }
        for (Path path : own) {
            deleteTree(path);
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
