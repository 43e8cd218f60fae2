package tenon.io.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tenon.io.record.Records;

/**
 * Reads the next window of a segmented order while the current one is trained on, segment after segment in the file's order, so that the disk makes
 * long reads and the workers find the pages in memory. What it reads it forgets: the operating system keeps it, as far as there is room.
 */
final class ReadAhead {
    private static final Logger LOG = LoggerFactory.getLogger(ReadAhead.class);
    private static final int CHUNK = 1 << 20;

    private final Records records;
    private final int[] order;
    private final long windowSize;
    private int reached;
    private boolean closed;
    private final Thread thread;

    /**
     * Begins to read.
     *
     * @param first place in {@code order} that the workers begin at
     */
    ReadAhead(Records records, int[] order, long windowSize, int first) {
        this.records = records;
        this.order = order;
        this.windowSize = windowSize;
        reached = first;
        thread = Thread.ofPlatform()
                .daemon()
                .name("tenon-read-ahead")
                .start(() -> readWindows((int) (first / windowSize)));
    }

    /** Says that workers have come to a place of the order: the window after its own is read next. */
    synchronized void reach(int place) {
        if (place > reached) {
            reached = place;
            notifyAll();
        }
    }

    private void readWindows(int firstWindow) {
        ByteBuffer scratch = ByteBuffer.allocateDirect(CHUNK);
        for (int window = firstWindow; window * windowSize < order.length && await(window); window++) {
            int[] samples = Arrays.copyOfRange(
                    order, (int) (window * windowSize), (int) Math.min(order.length, (window + 1) * windowSize));
            Arrays.sort(samples);
            try {
                read(samples, scratch);
            } catch (IOException e) {
                LOG.warn("read-ahead ends, samples are read one by one: {}", e.toString());
                return;
            }
        }
    }

    /** Waits until the window before {@code window} is being trained on; false when there is nothing more to do. */
    private synchronized boolean await(int window) {
        while (!closed && window > reached / windowSize + 1) {
            try {
                wait();
            } catch (InterruptedException _) {
                return false;
            }
        }
        return !closed;
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    private void read(int[] samples, ByteBuffer scratch) throws IOException {
        for (int i = 0; i < samples.length && !isClosed(); ) {
            Path file = records.file(samples[i]);
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                while (i < samples.length && records.file(samples[i]).equals(file)) {
                    int first = i;
                    do {
                        i++;
                    } while (i < samples.length
                            && samples[i] == samples[i - 1] + 1
                            && records.file(samples[i]).equals(file));
                    int last = samples[i - 1];
                    read(
                            channel,
                            records.offset(samples[first]),
                            records.offset(last) + records.imageBytes(last),
                            scratch);
                }
            }
        }
    }

    private void read(FileChannel channel, long from, long to, ByteBuffer scratch) throws IOException {
        for (long at = from; at < to && !isClosed(); at += CHUNK) {
            scratch.clear().limit((int) Math.min(CHUNK, to - at));
            if (channel.read(scratch, at) < 0) {
                return;
            }
        }
    }

    void close() {
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        Threads.join(thread);
    }
}
