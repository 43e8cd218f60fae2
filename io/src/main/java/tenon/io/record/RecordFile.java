package tenon.io.record;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** The file operations a writer needs, so that tests can make them fail. */
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

    /** Makes a new file. */
    interface Opener {
        RecordFile open(Path path) throws IOException;
    }

    static RecordFile open(Path path) throws IOException {
        FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
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
                channel.close();
            }
        };
    }
}
