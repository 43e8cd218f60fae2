package tenon.io.build;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import tenon.io.record.RecordException;
import tenon.io.record.RecordReader;
import tenon.io.record.RecordSchema;

/** Finds the files that an earlier build finished. */
final class FinishedShard {
    private FinishedShard() {}

    /**
     * Looks whether the file is there, made from the same inputs with the same options, and whole.
     *
     * <p>An item that the file lacks was left out, and is tried once more: so its reason is known, and one that can be read by now has the file built again.
     *
     * @return null when the file must be built
     */
    static ShardResult find(Shard shard, ImageStore store, BuildSettings settings) {
        if (!Files.exists(shard.file())) {
            return null;
        }
        try (RecordReader reader = RecordReader.open(shard.file())) {
            if (!shard.fingerprint().equals(reader.schema().build().get(RecordSchema.FINGERPRINT))) {
                return null;
            }
            List<BuildItem> missing = missing(shard, reader);
            List<BuildReport.Skipped> skipped = new ArrayList<>();
            OrderedParallel.forEach(missing, settings.threads(), item -> ItemOutcome.of(item, store), outcome -> {
                if (!outcome.isStored()) {
                    skipped.add(outcome.skipped());
                }
            });
            if (skipped.size() < missing.size()) {
                return null;
            }
            if (settings.verify()) {
                reader.verify();
            }
            return new ShardResult(shard.split(), reader.sampleCount(), List.copyOf(skipped), true);
        } catch (RecordException e) {
            settings.progress().warning(e.getMessage() + "; it is built again");
            return null;
        }
    }

    private static List<BuildItem> missing(Shard shard, RecordReader reader) {
        List<BuildItem> missing = new ArrayList<>();
        int sample = 0;
        for (BuildItem item : shard.items()) {
            if (sample < reader.sampleCount()
                    && reader.key(sample).equals(item.key())
                    && reader.source(sample).equals(item.source())) {
                sample++;
            } else {
                missing.add(item);
            }
        }
        return missing;
    }
}
