package tenon.optim.checkpoint;

import java.io.IOException;
import java.nio.file.Path;

/** Files that are replaced as a whole. */
public final class AtomicFiles {
    private AtomicFiles() {}

    /** Writes a file of the given name, and makes its contents durable. */
    @FunctionalInterface
    public interface Contents {
        void write(Path temporary) throws IOException;
    }

    /** Writes {@code file} anew: whatever crashes, it has either the old contents or the new ones. */
    public static void replace(Path file, byte[] contents) {
        replace(file, temporary -> FileTrees.write(FileOps.SYSTEM, temporary, contents));
    }

    /** As {@link #replace(Path, byte[])}, for contents that are too large to be held in one piece. */
    public static void replace(Path file, Contents contents) {
        try {
            FileTrees.replace(FileOps.SYSTEM, file, contents);
        } catch (IOException e) {
            throw new CheckpointException("could not write '" + file + "': " + e + " (is the disk full?)", e);
        }
    }
}
