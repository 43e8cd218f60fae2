package tenon.optim.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * Everything that changes a checkpoint folder, one system call each, so that tests can fail or crash at every single one. {@link #SYSTEM} is the
 * real file system.
 */
public interface FileOps {
    FileOps SYSTEM = new SystemFiles();

    /** Makes a directory; its parent exists. */
    void createDirectory(Path directory) throws IOException;

    /** Makes a new file; it must not exist. */
    Output create(Path file) throws IOException;

    /** Makes the entries of a directory durable. */
    void syncDirectory(Path directory) throws IOException;

    /** Renames atomically; an existing file (not a directory) at {@code to} is replaced. */
    void rename(Path from, Path to) throws IOException;

    /** Deletes a file or an empty directory. */
    void delete(Path path) throws IOException;

    /** A file being written. */
    interface Output extends AutoCloseable {
        /** Writes all remaining bytes. */
        void write(ByteBuffer bytes) throws IOException;

        /** Makes the contents durable. */
        void sync() throws IOException;

        @Override
        void close() throws IOException;
    }
}
