package tenon.io.record;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** The file operations a writer needs, so that tests can make them fail. While a file is open, this process holds its lock. */
interface RecordFile extends AutoCloseable {
    /** Writes all remaining bytes at {@code position}. */
    void write(ByteBuffer from, long position) throws IOException;

    /** Waits until everything is on the disk. */
    void force() throws IOException;

    @Override
    void close() throws IOException;

    /** Puts the closed file in place of {@code target}, which exists at every instant if it did before. */
    default void rename(Path from, Path target) throws IOException {
        Files.move(from, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** A rename is durable only once its folder is; not every system can open a folder, and then the rename alone must do. */
    default void forceFolder(Path folder) throws IOException {
        FileChannel channel;
        try {
            channel = FileChannel.open(folder, StandardOpenOption.READ);
        } catch (IOException _) {
            return;
        }
        try (channel) {
            channel.force(true);
        }
    }

    String SUFFIX = ".tmp";

    /** Temporary files of this process: opening one a second time, and closing it, would lose its lock. */
    Set<Path> OPEN = ConcurrentHashMap.newKeySet();

    /** Makes a new file. */
    interface Opener {
        RecordFile open(Path path) throws IOException;
    }

    /** A name for a new temporary file beside {@code target}. */
    static Path temporary(Path target) {
        return target.resolveSibling(
                prefix(target) + ProcessHandle.current().pid() + "-" + Long.toHexString(System.nanoTime()) + SUFFIX);
    }

    private static String prefix(Path target) {
        return "." + target.getFileName() + ".";
    }

    /** Removes temporary files of {@code target} whose writer was killed: those that nobody holds a lock on. */
    static void removeAbandoned(Path target) throws IOException {
        List<Path> found;
        try (Stream<Path> files = Files.list(target.getParent())) {
            found = files.filter(file -> {
                        String name = file.getFileName().toString();
                        return name.startsWith(prefix(target)) && name.endsWith(SUFFIX) && !OPEN.contains(file);
                    })
                    .toList();
        }
        for (Path file : found) {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
                    FileLock lock = channel.tryLock()) {
                if (lock != null) {
                    Files.delete(file);
                }
            } catch (IOException _) {
                // Gone meanwhile, not ours to open, or without locks: it stays.
            }
        }
    }

    static RecordFile open(Path path) throws IOException {
        FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        OPEN.add(path);
        try {
            channel.tryLock();
        } catch (IOException _) {
            // A file system without locks: then nobody can tell an abandoned file, and none is removed.
        }
        return new RecordFile() {
            @Override
            public void write(ByteBuffer from, long position) throws IOException {
                long at = position;
                while (from.hasRemaining()) {
                    at += channel.write(from, at);
                }
            }

            @Override
            public void force() throws IOException {
                channel.force(true);
            }

            @Override
            public void close() throws IOException {
                OPEN.remove(path);
                channel.close();
            }
        };
    }
}
