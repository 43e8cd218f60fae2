package tenon.optim.train;

import java.lang.foreign.MemorySegment;
import tenon.engine.Tensor;
import tenon.engine.backend.Staging;

/** A small result's way to the host, beside the computation that goes on; used again and again, one tensor at a time. */
final class Readback implements AutoCloseable {
    private final Staging staging;
    private final Staging.Transfer transfer;
    private MemorySegment buffer;
    private MemorySegment host;

    Readback(Staging staging) {
        this.staging = staging;
        transfer = staging.transfer();
    }

    /** Queues the tensor as the computation asked for so far leaves it; it may be closed at once. */
    void start(Tensor from) {
        if (buffer == null || buffer.byteSize() < from.byteSize()) {
            free();
            buffer = staging.hostBuffer(from.byteSize());
        }
        if (host == null || host.byteSize() != from.byteSize()) {
            host = buffer.asSlice(0, from.byteSize());
        }
        transfer.download(from, host);
    }

    /** Waits until the values are there. */
    void await() {
        transfer.awaitOnHost();
    }

    /** The values, until the next {@link #start}. */
    MemorySegment values() {
        return host;
    }

    private void free() {
        if (buffer != null) {
            staging.free(buffer);
            buffer = null;
            host = null;
        }
    }

    /** Waits for a transfer under way. */
    @Override
    public void close() {
        transfer.awaitOnHost();
        transfer.close();
        free();
    }
}
