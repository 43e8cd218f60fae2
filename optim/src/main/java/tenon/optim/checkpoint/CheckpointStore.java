package tenon.optim.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder of checkpoints of one run, of which at least one is whole at every instant, whatever crashes:
 *
 * <pre>
 * run/
 *   latest                     name of the newest checkpoint
 *   best                       name of the best one, if any was called so
 *   checkpoint-12-8400/        12 epochs complete, 8400 steps
 *     model.safetensors, …     whatever the caller writes
 *     COMPLETE                 size and SHA-256 of each file, written last
 *   .tmp-checkpoint-13-9100/   being written, or left by a crash
 * </pre>
 *
 * A checkpoint is written under a temporary name; every file and the folder are synced to disk; then one rename makes it visible, and after another
 * sync the pointer {@code latest} is replaced the same way. Old checkpoints are deleted last. Recovery believes no folder whose {@code COMPLETE}
 * does not match, and falls back to the newest one that does.
 *
 * <p>One process may write to a folder at a time. Not thread-safe.
 */
public final class CheckpointStore {
    private static final Logger LOG = LoggerFactory.getLogger(CheckpointStore.class);
    private static final Pattern NAME = Pattern.compile("checkpoint-(\\d{1,18})-(\\d{1,18})(?:-(\\d{1,9}))?");
    private static final String TEMPORARY = ".tmp-";
    private static final String DOOMED = ".delete-";

    private final Path folder;
    private final FileOps files;
    private final int keepLast;

    /** One file of a checkpoint. */
    @FunctionalInterface
    public interface Part {
        /** Creates the file, writes it and syncs it. */
        FileDigest write(FileOps files, Path file) throws IOException;

        static Part of(byte[] bytes) {
            return (files, file) -> {
                try (FileOps.Output out = files.create(file);
                        DigestingOutput digesting = new DigestingOutput(out)) {
                    digesting.write(ByteBuffer.wrap(bytes));
                    digesting.sync();
                    return digesting.digest();
                }
            };
        }
    }

    /**
     * What recovery found.
     *
     * @param checkpoint the newest whole checkpoint, if there is any
     * @param skipped one line for each newer folder that was not whole, and why
     */
    public record Recovery(Optional<Path> checkpoint, List<String> skipped) {}

    private record Name(Path path, long epoch, long step, int attempt) {}

    /** @param keepLast newest checkpoints to keep, at least 1; the best one is kept besides */
    public CheckpointStore(Path folder, int keepLast, FileOps files) {
        if (keepLast < 1) {
            throw new IllegalArgumentException("checkpoints: keepLast must be at least 1: keepLast=" + keepLast);
        }
        this.folder = folder.toAbsolutePath();
        this.keepLast = keepLast;
        this.files = files;
        try {
            Files.createDirectories(this.folder);
        } catch (IOException e) {
            throw new CheckpointException(
                    "checkpoints: the folder must exist or be creatable: folder=" + folder + ": " + e, e);
        }
    }

    /** The folder on the real file system, made if missing. */
    public static CheckpointStore open(Path folder, int keepLast) {
        return new CheckpointStore(folder, keepLast, FileOps.SYSTEM);
    }

    public Path folder() {
        return folder;
    }

    // ---- writing ----

    /**
     * Writes a checkpoint and returns its folder. When it returns, the checkpoint is on disk; when it throws, those saved before are untouched.
     * Checkpoints of later steps are deleted: the run was set back.
     *
     * @param epoch epochs complete
     * @param step updates done
     * @param best whether {@code best} points to it from now on
     * @param parts what to write, by file name
     * @throws CheckpointException when a file operation fails, e.g. because the disk is full
     */
    public Path save(long epoch, long step, boolean best, Map<String, Part> parts) {
        Path temporary = null;
        try {
            deleteLeftovers();
            Path target = unusedName(epoch, step);
            temporary = folder.resolve(TEMPORARY + target.getFileName());
            files.createDirectory(temporary);
            Map<String, FileDigest> digests = new LinkedHashMap<>();
            for (Map.Entry<String, Part> part : parts.entrySet()) {
                digests.put(part.getKey(), part.getValue().write(files, temporary.resolve(part.getKey())));
            }
            FileTrees.write(files, temporary.resolve(Completion.FILE), new Completion(digests).toBytes());
            files.syncDirectory(temporary);
            files.rename(temporary, target);
            files.syncDirectory(folder);
            byte[] pointer = (target.getFileName() + "\n").getBytes(StandardCharsets.UTF_8);
            if (best) {
                FileTrees.replace(files, folder.resolve("best"), pointer);
            }
            FileTrees.replace(files, folder.resolve("latest"), pointer);
            prune(step);
            return target;
        } catch (IOException e) {
            if (temporary != null) {
                deleteQuietly(temporary);
            }
            throw new CheckpointException(
                    "checkpoints: checkpoint of epoch " + epoch + ", step " + step + " could not be written: folder="
                            + folder + freeSpace() + ", cause=" + e
                            + " (free some space or check the disk; earlier checkpoints are untouched)",
                    e);
        }
    }

    private Path unusedName(long epoch, long step) {
        Path target = folder.resolve("checkpoint-" + epoch + "-" + step);
        for (int attempt = 2; Files.exists(target); attempt++) {
            target = folder.resolve("checkpoint-" + epoch + "-" + step + "-" + attempt);
        }
        return target;
    }

    private String freeSpace() {
        try {
            return ", free=" + (Files.getFileStore(folder).getUsableSpace() >> 20) + " MiB";
        } catch (IOException e) {
            return "";
        }
    }

    private void deleteLeftovers() throws IOException {
        List<Path> leftovers;
        try (Stream<Path> entries = Files.list(folder)) {
            leftovers = entries.filter(path -> path.getFileName().toString().startsWith(TEMPORARY)
                            || path.getFileName().toString().startsWith(DOOMED))
                    .toList();
        }
        for (Path leftover : leftovers) {
            FileTrees.delete(files, leftover);
        }
    }

    private void deleteQuietly(Path directory) {
        try {
            if (Files.exists(directory)) {
                FileTrees.delete(files, directory);
            }
        } catch (IOException e) {
            LOG.warn("checkpoints: could not delete {}: {}", directory, e.toString());
        }
    }

    /**
     * Deletes what is older than the newest {@code keepLast}, and what is newer than the step just saved: a run that was set back to an earlier
     * checkpoint replaces what it had done since. The best one stays. A failure is no reason to fail a save that is done.
     */
    private void prune(long savedStep) {
        List<Name> all = names();
        List<Name> abandoned =
                all.stream().filter(name -> name.step > savedStep).toList();
        List<Name> current = all.subList(abandoned.size(), all.size());
        Set<Path> kept = new LinkedHashSet<>();
        current.stream().limit(keepLast).forEach(name -> kept.add(name.path));
        pointer("latest").ifPresent(kept::add);
        pointer("best").ifPresent(kept::add);
        for (Path checkpoint : list()) {
            if (!kept.contains(checkpoint)) {
                try {
                    // Renamed first, so that half a checkpoint never bears a checkpoint's name.
                    Path doomed = folder.resolve(DOOMED + checkpoint.getFileName());
                    files.rename(checkpoint, doomed);
                    FileTrees.delete(files, doomed);
                } catch (IOException e) {
                    LOG.warn("checkpoints: could not delete the old {}: {}", checkpoint, e.toString());
                }
            }
        }
    }

    // ---- reading ----

    /** All folders with a checkpoint's name, newest first; not checked. */
    public List<Path> list() {
        return names().stream().map(Name::path).toList();
    }

    /** The steps that a checkpoint's name tells; empty for a folder of another name. The folder need not be there. */
    public static OptionalLong step(Path checkpoint) {
        Matcher matcher = NAME.matcher(checkpoint.getFileName().toString());
        return matcher.matches() ? OptionalLong.of(Long.parseLong(matcher.group(2))) : OptionalLong.empty();
    }

    private List<Name> names() {
        List<Name> names = new ArrayList<>();
        try (Stream<Path> entries = Files.list(folder)) {
            for (Path path : (Iterable<Path>) entries::iterator) {
                Matcher matcher = NAME.matcher(path.getFileName().toString());
                if (matcher.matches() && Files.isDirectory(path)) {
                    int attempt = matcher.group(3) == null ? 1 : Integer.parseInt(matcher.group(3));
                    names.add(new Name(
                            path, Long.parseLong(matcher.group(1)), Long.parseLong(matcher.group(2)), attempt));
                }
            }
        } catch (IOException e) {
            throw new CheckpointException("checkpoints: the folder must be readable: folder=" + folder + ": " + e, e);
        }
        names.sort(Comparator.comparingLong(Name::step)
                .thenComparingLong(Name::epoch)
                .thenComparingInt(Name::attempt)
                .reversed());
        return names;
    }

    /** The checkpoint to resume from: the one {@code latest} names, or else the newest whole one. Reads every file of it. */
    public Recovery recover() {
        Set<Path> candidates = new LinkedHashSet<>();
        pointer("latest").ifPresent(candidates::add);
        candidates.addAll(list());
        List<String> skipped = new ArrayList<>();
        for (Path candidate : candidates) {
            Optional<String> problem = problem(candidate);
            if (problem.isEmpty()) {
                return new Recovery(Optional.of(candidate), List.copyOf(skipped));
            }
            String line = candidate.getFileName() + " is not whole and was skipped: " + problem.get();
            LOG.warn("checkpoints: {}", line);
            skipped.add(line);
        }
        return new Recovery(Optional.empty(), List.copyOf(skipped));
    }

    /** The checkpoint that was called the best, if it is whole. */
    public Optional<Path> best() {
        return pointer("best").filter(checkpoint -> problem(checkpoint).isEmpty());
    }

    /** Why a folder is no whole checkpoint, or empty if it is one. Reads every file. */
    public static Optional<String> problem(Path checkpoint) {
        return Completion.problem(checkpoint);
    }

    private Optional<Path> pointer(String name) {
        try {
            String target = Files.readString(folder.resolve(name)).strip();
            return NAME.matcher(target).matches() ? Optional.of(folder.resolve(target)) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty(); // missing or unreadable: recovery looks at the folders themselves
        }
    }
}
