package tenon.io.build;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tenon.io.record.RecordException;
import tenon.io.record.RecordReader;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;

/** Writes the files of a build one after the other. Work on the next file's images goes on while a finished one is put on the disk. */
final class ShardWriting implements AutoCloseable {
    private final List<Shard> shards;
    private final Map<Path, ShardResult> results;
    private final BuildSettings settings;
    private final int alreadyFinished;
    private final Map<String, Long> totals = new HashMap<>();
    private final Map<String, Long> done = new HashMap<>();
    private int current;
    private int itemsDone;
    private RecordWriter writer;
    private final List<BuildReport.Skipped> skipped = new ArrayList<>();

    /** @param results of the files that are finished; those of the others are added */
    ShardWriting(List<Shard> shards, Map<Path, ShardResult> results, BuildSettings settings) {
        this.shards = shards;
        this.results = results;
        this.settings = settings;
        alreadyFinished = results.size();
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
        if (outcome.stored()) {
            BuildItem item = outcome.item();
            writer.add(outcome.image(), item.label(), item.key(), item.source());
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
            throw new BuildException("build: stopped; " + (alreadyFinished + current) + " of "
                    + (alreadyFinished + shards.size()) + " files are finished and stay (the same command goes on)");
        }
    }

    private void finish(Shard shard) {
        long samples = writer.sampleCount();
        if (shard.last() && samples + earlierSamples(shard.split()) == 0) {
            throw new BuildException("build: no image of split '" + shard.split() + "' can be stored; the first: "
                    + skipped.getFirst().source() + ": " + skipped.getFirst().reason());
        }
        writer.commit();
        writer = null;
        if (settings.verify()) {
            verify(shard, samples);
        }
        results.put(shard.file(), new ShardResult(shard.split(), samples, List.copyOf(skipped), false));
        skipped.clear();
        current++;
        itemsDone = 0;
    }

    private long earlierSamples(String split) {
        return results.values().stream()
                .filter(result -> result.split().equals(split))
                .mapToLong(ShardResult::sampleCount)
                .sum();
    }

    private static void verify(Shard shard, long samples) {
        try (RecordReader reader = RecordReader.open(shard.file())) {
            String found = reader.schema().build().get(RecordSchema.FINGERPRINT);
            if (reader.sampleCount() != samples || !shard.fingerprint().equals(found)) {
                throw new RecordException(
                        "record file " + shard.file() + ": samples=" + reader.sampleCount() + ", fingerprint=" + found);
            }
            reader.verify();
        } catch (RecordException e) {
            remove(shard);
            throw new BuildException(
                    "build: the file does not read back as it was written and was removed: " + e.getMessage()
                            + " (disk or memory may be faulty)",
                    e);
        }
    }

    private static void remove(Shard shard) {
        try {
            Files.deleteIfExists(shard.file());
        } catch (IOException _) {
            // What led here is the error to report; the next build finds the file damaged.
        }
    }

    /** Removes an unfinished file. */
    @Override
    public void close() {
        if (writer != null) {
            writer.close();
        }
    }
}
