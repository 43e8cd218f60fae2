package tenon.optim.checkpoint;

import java.io.IOException;
import java.nio.file.Path;

/** Small files that are replaced as a whole. */
public final class AtomicFiles {
    private AtomicFiles() {}

    /** Writes {@code file} anew: whatever crashes, it has either the old contents or the new ones. */
    public static void replace(Path file, byte[] contents) {
        try {
            FileTrees.replace(FileOps.SYSTEM, file, contents);
        } catch (IOException e) {
            throw new CheckpointException("could not write '" + file + "': " + e + " (is the disk full?)", e);
        }
    }
}
