package tenon.optim.tensorboard;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * Writes a file of TensorBoard events: TFRecord frames around {@code tensorflow.Event} messages. All numbers are little-endian.
 *
 * <pre>
 * frame:  length (8 bytes) | masked CRC-32C of the length (4) | message | masked CRC-32C of the message (4)
 * mask:   rotate right by 15, add 0xA282EAD8
 *
 * Event       1 wall_time (double, seconds)  2 step (int64)  3 file_version (string)  5 summary  7 session_log
 * Summary     1 value (repeated)
 * Value       1 tag (string)  2 simple_value (float)
 * SessionLog  1 status (1 = START)
 * </pre>
 *
 * A crash may tear the last frame, which readers ignore. Not thread-safe.
 */
public final class EventFile implements AutoCloseable {
    private static final String VERSION = "brain.Event:2";
    private static final int START = 1;

    private final Path path;
    private final FileChannel channel;
    private final CRC32C crc = new CRC32C();

    private EventFile(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /**
     * Begins a new file in a folder, which is made if missing. Its name sorts behind those of files begun before, the order in which TensorBoard reads a run's files.
     *
     * @param wallSeconds since 1970, for the name and the first event
     */
    public static EventFile create(Path folder, double wallSeconds) {
        try {
            Files.createDirectories(folder);
            for (int attempt = 0; ; attempt++) {
                Path path = folder.resolve(String.format(
                        Locale.ROOT, "events.out.tfevents.%010d.tenon.%03d", (long) wallSeconds, attempt));
                try {
                    FileChannel channel =
                            FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
                    EventFile file = new EventFile(path, channel);
                    file.write(event(wallSeconds, 0).text(3, VERSION));
                    return file;
                } catch (FileAlreadyExistsException _) {
                    // Another one begun in this second.
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("tensorboard: could not begin a file in '" + folder + "': " + e, e);
        }
    }

    public Path path() {
        return path;
    }

    /** Has TensorBoard forget what earlier files say about this step and those after it. */
    public void restart(double wallSeconds, long step) {
        write(event(wallSeconds, step).message(7, new ProtobufMessage().int64(1, START)));
    }

    /** Writes one value per tag, all of one step. */
    public void scalars(double wallSeconds, long step, Map<String, Double> values) {
        ProtobufMessage summary = new ProtobufMessage();
        values.forEach((tag, value) ->
                summary.message(1, new ProtobufMessage().text(1, tag).float32(2, value.floatValue())));
        write(event(wallSeconds, step).message(5, summary));
    }

    private static ProtobufMessage event(double wallSeconds, long step) {
        ProtobufMessage event = new ProtobufMessage().float64(1, wallSeconds);
        return step == 0 ? event : event.int64(2, step);
    }

    private void write(ProtobufMessage message) {
        byte[] bytes = message.toBytes();
        ByteBuffer frame = ByteBuffer.allocate(bytes.length + 16).order(ByteOrder.LITTLE_ENDIAN);
        frame.putLong(bytes.length);
        frame.putInt(maskedCrc(frame.array(), 0, 8));
        frame.put(bytes);
        frame.putInt(maskedCrc(frame.array(), 12, bytes.length));
        frame.flip();
        try {
            while (frame.hasRemaining()) {
                channel.write(frame);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("tensorboard: could not write '" + path + "': " + e, e);
        }
    }

    private int maskedCrc(byte[] bytes, int from, int count) {
        crc.reset();
        crc.update(bytes, from, count);
        return Integer.rotateRight((int) crc.getValue(), 15) + 0xA282EAD8;
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("tensorboard: could not close '" + path + "': " + e, e);
        }
    }
}
