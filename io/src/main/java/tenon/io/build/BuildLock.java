package tenon.io.build;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Set;

/**
 * Keeps two builds out of one folder. The lock belongs to the process, so a killed build leaves none behind; its empty file stays, because a name that
 * is removed while somebody waits for it would lock nothing. Different parts of one build may share a folder: each locks its own range of the file.
 */
final class BuildLock implements AutoCloseable {
    static final String FILE_NAME = ".tenon-build.lock";

    /** Positions of the file that the parts share out. */
    private static final long UNITS = 1L << 40;

    /** Folders that this process builds into: on POSIX, closing any channel of a file drops all locks that the process has on it. */
    private static final Set<Path> HELD = new HashSet<>();

    private final Path folder;
    private final FileChannel channel;

    private BuildLock(Path folder, FileChannel channel) {
        this.folder = folder;
        this.channel = channel;
    }

    /** Makes the folder if need be. */
    static BuildLock acquire(Path folder, BuildPart part) {
        try {
            Files.createDirectories(folder);
            Path real = folder.toRealPath();
            synchronized (HELD) {
                if (!HELD.add(real)) {
                    throw inUse(folder);
                }
            }
            FileChannel channel = null;
            try {
                channel =
                        FileChannel.open(real.resolve(FILE_NAME), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                long start = part.start(UNITS);
                FileLock lock = channel.tryLock(start, part.end(UNITS) - start, false);
                if (lock == null) {
                    throw inUse(folder);
                }
                return new BuildLock(real, channel);
            } catch (IOException | RuntimeException e) {
                release(real, channel);
                throw e;
            }
        } catch (IOException e) {
            throw new BuildException("build: cannot write into " + folder + ": " + e, e);
        }
    }

    private static BuildException inUse(Path folder) {
        return new BuildException("build: another build is writing into " + folder
                + " (wait until it ends, stop it, or choose another folder)");
    }

    private static void release(Path folder, FileChannel channel) throws IOException {
        synchronized (HELD) {
            HELD.remove(folder);
        }
        if (channel != null) {
            channel.close();
        }
    }

    @Override
    public void close() {
        try {
            release(folder, channel);
        } catch (IOException e) {
            throw new BuildException("build: the lock of " + folder + " cannot be released: " + e, e);
        }
    }
}
