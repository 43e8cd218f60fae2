package tenon.engine.backend.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jcuda.driver.JCudaDriver;
import tenon.engine.Tensor;
import tenon.engine.memory.Storage;

/**
 * What {@code updates.cu} and {@code collectives.cu} work on, in device memory: a record per parameter, then a pair of numbers per chunk. It is sent again only when something in it has changed, which in a training loop
 * nothing does. Under the back-end's lock.
 */
final class UpdateTable implements AutoCloseable {
    /** Elements that one block takes: CHUNK in updates.cu. */
    static final int CHUNK = 8192;
    /** Longs of a Parameter in updates.cu. */
    private static final int LONGS = 7;

    private final CudaBackend backend;
    /** The records, and as they were sent. */
    private long[] records = {};

    private long[] sent = {};
    /** Whether the device has what was sent. */
    private boolean current;

    private boolean owned;
    private int parameters;
    private Storage storage;
    private long address;
    private int chunks;

    /** @param owned whether its maker closes it; otherwise the back-end does when it is closed itself */
    UpdateTable(CudaBackend backend, boolean owned) {
        this.backend = backend;
        this.owned = owned;
    }

    /** Starts anew. */
    void clear() {
        parameters = 0;
    }

    /** Adds a parameter; addresses may be 0. */
    void add(long weight, long grad, long first, long second, long copy, long count, float decay, float rateScale) {
        int at = parameters * LONGS;
        if (records.length < at + LONGS) {
            records = Arrays.copyOf(records, Math.max(64 * LONGS, 2 * records.length));
        }
        records[at] = weight;
        records[at + 1] = grad;
        records[at + 2] = first;
        records[at + 3] = second;
        records[at + 4] = copy;
        records[at + 5] = count;
        records[at + 6] =
                Float.floatToRawIntBits(decay) & 0xFFFFFFFFL | (long) Float.floatToRawIntBits(rateScale) << 32;
        parameters++;
    }

    static long addressOf(Tensor[] tensors, int index) {
        return tensors == null ? 0 : tensors[index].storage().blockAddress();
    }

    /** Brings the table into device memory. */
    void send() {
        int length = parameters * LONGS;
        boolean recording = backend.capturing();
        if (!recording && current && Arrays.equals(records, 0, length, sent, 0, sent.length)) {
            return;
        }
        current = false;
        chunks = 0;
        for (int i = 0; i < parameters; i++) {
            chunks += Math.toIntExact((records[i * LONGS + 5] + CHUNK - 1) / CHUNK);
        }
        if (chunks == 0) {
            return;
        }
        MemorySegment table = MemorySegment.ofArray(new long[length + chunks]);
        MemorySegment.copy(records, 0, table, ValueLayout.JAVA_LONG, 0, length);
        long at = (long) length * Long.BYTES;
        for (int i = 0; i < parameters; i++) {
            int count = (int) ((records[i * LONGS + 5] + CHUNK - 1) / CHUNK);
            for (int chunk = 0; chunk < count; chunk++) {
                table.set(ValueLayout.JAVA_INT, at, i);
                table.set(ValueLayout.JAVA_INT, at + Integer.BYTES, chunk);
                at += Long.BYTES;
            }
        }
        if (recording) {
            sendBeside(table);
            return;
        }
        if (storage == null || storage.capacity() < table.byteSize()) {
            close();
            storage = backend.general().allocate(table.byteSize());
            if (!owned) {
                owned = true;
                backend.owned(this);
            }
        }
        address = storage.blockAddress();
        backend.hostCopies.upload(table, address);
        sent = Arrays.copyOf(records, length);
        current = true;
    }

    /**
     * Sends a table for a recorded step: now and not at each replay, so not in the stream that records. The memory is the recording's, which began with nothing queued, and stays with it.
     */
    private void sendBeside(MemorySegment table) {
        address = backend.recording().allocate(table.byteSize());
        try (Pinned host = new Pinned(table.byteSize())) {
            host.segment().copyFrom(table);
            Driver.run(
                    "cuMemcpyHtoDAsync",
                    () -> JCudaDriver.cuMemcpyHtoDAsync(
                            Pointers.at(address), host.at(0), table.byteSize(), backend.copy.handle()));
            backend.copy.synchronize();
        }
    }

    /** Address of the records. */
    long records() {
        return address;
    }

    /** Address of the chunks' numbers. */
    long chunkNumbers() {
        return address + (long) parameters * LONGS * Long.BYTES;
    }

    /** Blocks to launch, one per chunk. */
    int chunks() {
        return chunks;
    }

    @Override
    public void close() {
        if (storage != null) {
            storage.release();
            storage = null;
        }
    }
}
