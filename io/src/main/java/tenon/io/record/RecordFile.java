package tenon.io.record;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The file operations a writer needs, so that tests can make them fail. */
interface RecordFile extends AutoCloseable {
    /** Writes all remaining bytes at {@code position}. */
    void write(ByteBuffer from, long position) throws IOException;

    /** Waits until everything is on the disk. */
    void force() throws IOException;

    @Override
    void close() throws IOException;

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
