package tenon.io.build;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import tenon.io.record.RecordException;
import tenon.io.record.RecordReader;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;

/**
 * Writes the files of a build one after the other. While a full one is put on the disk and read back, which takes seconds for a large one, the next is being
 * filled.
 */
final class ShardWriting implements AutoCloseable {
    private final List<Shard> shards;
    private final BuildSettings settings;
    private final Map<Path, ShardResult> results = new HashMap<>();
    private final int alreadyFinished;
    /** By split: items of all files, items done, samples stored. */
    private final Map<String, Long> totals = new HashMap<>();

    private final Map<String, Long> done = new HashMap<>();
    private final Map<String, Long> samples = new HashMap<>();
    private final List<BuildReport.Skipped> skipped = new ArrayList<>();
    private final ExecutorService finisher = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("tenon-build-finish").factory());
    private Future<ShardResult> finishing;
    private Path finishingFile;
    private int current;
    private int itemsDone;
    private RecordWriter writer;

    /** @param finished results of the files that need not be written */
    ShardWriting(List<Shard> shards, Map<Path, ShardResult> finished, BuildSettings settings) {
        this.shards = shards;
        this.settings = settings;
        results.putAll(finished);
        alreadyFinished = finished.size();
        finished.values().forEach(result -> samples.merge(result.split(), result.sampleCount(), Long::sum));
        shards.forEach(shard -> totals.merge(shard.split(), (long) shard.items().size(), Long::sum));
    }

    /** The items of all files in order. */
    Iterable<BuildItem> items() {
        return () -> shards.stream().flatMap(shard -> shard.items().stream()).iterator();
    }

    /** Takes the outcome of the next item. */
    void accept(ItemOutcome outcome) {
        stopIfAsked();
        Shard shard = shards.get(current);
        itemsDone++;
        if (writer == null) {
            writer = RecordWriter.create(shard.file(), shard.schema());
        }
        if (outcome.isStored()) {
            BuildItem item = outcome.item();
            writer.add(
                    outcome.stored().bytes(),
                    item.label(),
                    item.key(),
                    item.source(),
                    outcome.stored().pixels());
        } else {
            BuildReport.Skipped left = outcome.skipped();
            skipped.add(left);
            settings.progress().skipped(left);
        }
        if (itemsDone == shard.items().size()) {
            finish(shard);
        }
        long count = done.merge(shard.split(), 1L, Long::sum);
        settings.progress().update(shard.split(), count, totals.get(shard.split()));
    }

    private void stopIfAsked() {
        if (settings.stopped()) {
            awaitFinishing();
            throw new BuildException("build: stopped; " + results.size() + " of " + (alreadyFinished + shards.size())
                    + " files are finished and stay (the same command goes on)");
        }
    }

    private void finish(Shard shard) {
        RecordWriter full = writer;
        long count = full.sampleCount();
        if (samples.merge(shard.split(), count, Long::sum) == 0 && shard.last()) {
            throw new BuildException("build: no image of split '" + shard.split() + "' can be stored; the first: "
                    + skipped.getFirst().source() + ": " + skipped.getFirst().reason());
        }
        awaitFinishing();
        ShardResult result = new ShardResult(shard.split(), count, List.copyOf(skipped), false);
        finishing = finisher.submit(() -> {
            try (full) {
                full.commit(settings.verify() ? file -> verify(file, shard, count) : _ -> {});
            }
            return result;
        });
        finishingFile = shard.file();
        writer = null;
        skipped.clear();
        current++;
        itemsDone = 0;
    }

    /** Waits until the last file is on the disk. */
    private void awaitFinishing() {
        if (finishing == null) {
            return;
        }
        Future<ShardResult> waited = finishing;
        finishing = null;
        try {
            results.put(finishingFile, waited.get());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BuildException("build: interrupted", e);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                default -> throw new BuildException("build: " + e.getCause(), e.getCause());
            }
        }
    }

    /** The results of all files, after the last item. */
    Map<Path, ShardResult> results() {
        awaitFinishing();
        return results;
    }

    private static void verify(Path written, Shard shard, long samples) {
        try (RecordReader reader = RecordReader.open(written)) {
            String found = reader.schema().build().get(RecordSchema.FINGERPRINT);
            if (reader.sampleCount() != samples || !shard.fingerprint().equals(found)) {
                throw new RecordException(
                        "record file " + written + ": samples=" + reader.sampleCount() + ", fingerprint=" + found);
            }
            reader.verify();
        } catch (RecordException e) {
            throw new BuildException(
                    "build: " + shard.file() + " does not read back as it was written, and is not put in place: "
                            + e.getMessage() + " (disk or memory may be faulty)",
                    e);
        }
    }

    /** Removes an unfinished file, and waits for a full one. */
    @Override
    public void close() {
        if (writer != null) {
            writer.close();
        }
        finisher.close();
    }
}
