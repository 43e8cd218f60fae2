package tenon.io.build;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Whether what a build will write fits on the disk: found out before the first byte is written. */
final class DiskSpace {
    /** Items tried out to learn how large a stored image is when that does not follow from the input. */
    private static final int PROBES = 16;

    /** Index entry, file header and footer, and some room for an estimate that is too low. */
    private static final long BYTES_PER_ITEM = 64;

    private static final long BYTES_PER_FILE = 64 << 10;
    private static final double RESERVE = 1.1;

    /** The disk; replaced by tests. */
    interface FreeSpace {
        long bytes(Path folder) throws IOException;
    }

    static final FreeSpace SYSTEM = folder -> Files.getFileStore(folder).getUsableSpace();

    private DiskSpace() {}

    static void check(List<Shard> shards, ImageStore store, Path folder, FreeSpace freeSpace) {
        long needed = estimate(shards, store);
        long free;
        try {
            free = freeSpace.bytes(folder);
        } catch (IOException e) {
            throw new BuildException("build: the free space of " + folder + " cannot be found out: " + e, e);
        }
        if (needed > free) {
            long images =
                    shards.stream().mapToLong(shard -> shard.items().size()).sum();
            throw new BuildException("build: there is too little space in " + folder + ": needed=about "
                    + text(needed) + " for " + images + " images, free=" + text(free)
                    + " (free some, choose another folder, or store smaller images)");
        }
    }

    static long estimate(List<Shard> shards, ImageStore store) {
        long items = 0;
        long bytes = 0;
        for (Shard shard : shards) {
            items += shard.items().size();
            bytes += BYTES_PER_FILE;
            for (BuildItem item : shard.items()) {
                bytes += BYTES_PER_ITEM + item.key().length() + item.source().length();
            }
        }
        return bytes + (long) (RESERVE * imageBytes(shards, store, items));
    }

    private static double imageBytes(List<Shard> shards, ImageStore store, long items) {
        if (shards.isEmpty()) {
            return 0;
        }
        if (store.encoding() == StoreEncoding.RAW) {
            return (double) items * shards.getFirst().schema().rawImageBytes();
        }
        if (store.encoding() == StoreEncoding.KEEP && store.resize() instanceof ResizeRule.None) {
            return shards.stream().mapToLong(Shard::inputBytes).sum();
        }
        long probed = 0;
        long sum = 0;
        long step = Math.max(1, items / PROBES);
        long at = 0;
        for (Shard shard : shards) {
            for (BuildItem item : shard.items()) {
                if (at++ % step == 0) {
                    ItemOutcome outcome = ItemOutcome.of(item, store);
                    if (outcome.isStored()) {
                        probed++;
                        sum += outcome.stored().bytes().length;
                    }
                }
            }
        }
        return probed == 0 ? 0 : (double) sum / probed * items;
    }

    private static String text(long bytes) {
        return bytes < 1 << 20 ? bytes + " bytes" : String.format(Locale.ROOT, "%.1f MiB", (double) bytes / (1 << 20));
    }
}
