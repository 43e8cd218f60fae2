package tenon.io.sets;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import tenon.io.build.BuildException;

/** A file of which several threads read pieces. */
final class RandomFile implements AutoCloseable {
    private final Path path;
    private final String what;
    private final FileChannel channel;
    private final long size;

    /** @param what kind of file, to begin messages with */
    RandomFile(Path path, String what) {
        this.path = path;
        this.what = what;
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ);
            size = channel.size();
        } catch (NoSuchFileException e) {
            throw new BuildException(what + " " + path + ": there is no such file", e);
        } catch (IOException e) {
            throw new BuildException(what + " " + path + ": cannot be read: " + e, e);
        }
    }

    Path path() {
        return path;
    }

    long size() {
        return size;
    }

    /** The bytes from {@code offset} on; the caller has checked that the file is that long. */
    byte[] read(long offset, int length) {
        byte[] bytes = new byte[length];
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        try {
            while (buffer.hasRemaining()) {
                if (channel.read(buffer, offset + buffer.position()) < 0) {
                    throw new EOFException("it became shorter");
                }
            }
        } catch (IOException e) {
            throw new BuildException(
                    what + " " + path + ": cannot be read at byte " + offset + ": " + e.getMessage(), e);
        }
        return bytes;
    }

    BuildException error(String problem) {
        return new BuildException(what + " " + path + ": " + problem);
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException _) {
            // Nothing was written.
        }
    }
}
