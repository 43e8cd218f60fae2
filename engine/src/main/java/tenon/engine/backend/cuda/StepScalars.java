package tenon.engine.backend.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.CudaException;
import jcuda.driver.JCudaDriver;
import tenon.engine.backend.StepState;
import tenon.engine.memory.Storage;

/**
 * Small values that kernels read from device memory, because they differ between two runs of a recorded step: rates, bias corrections, the step of random draws.
 *
 * <p>Outside of recordings, entries go around in a ring, pinned on the host and copied one by one in stream order.
 */
final class StepScalars implements AutoCloseable {
    /** Largest size of one entry in bytes, and the distance of entries. */
    static final int LARGEST = 64;
    /** Bit of {@link #guard}: the loss of a recorded step was not finite. */
    static final int NOT_FINITE = 1;
    /** Bit of {@link #guard}: a class index of a recorded step was out of range. */
    static final int BAD_INDEX = 2;
    /** Bit of {@link #guard}: the joint norm of a recorded step's gradients was not finite. BAD_NORM in updates.cu. */
    static final int BAD_NORM = 4;

    private static final int SEGMENTS = 4;
    private static final int ENTRIES_PER_SEGMENT = 256;
    private static final int ENTRIES = SEGMENTS * ENTRIES_PER_SEGMENT;

    /** Computes an entry. Kept by a recording, which calls it before each replay. */
    interface Writer {
        /** @param now {@link StepState#EAGER} outside of recordings */
        void write(StepState now, MemorySegment to);
    }

    private final CudaBackend backend;
    private final Storage device;
    private final Event[] ends = new Event[SEGMENTS];
    private final MemorySegment[] entries = new MemorySegment[ENTRIES];
    private Pinned host;
    private int next;

    StepScalars(CudaBackend backend) {
        this.backend = backend;
        // After the ring: an int that is always 0, and the guard of recordings.
        device = backend.general().allocate((long) (ENTRIES + 2) * LARGEST);
        try {
            host = new Pinned((long) ENTRIES * LARGEST);
            for (int i = 0; i < SEGMENTS; i++) {
                ends[i] = new Event();
            }
            for (int i = 0; i < ENTRIES; i++) {
                entries[i] = host.segment().asSlice((long) i * LARGEST, LARGEST);
            }
            clear(never(), 2L * LARGEST);
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private void clear(long address, long byteSize) {
        Driver.run(
                "cuMemsetD8Async",
                () -> JCudaDriver.cuMemsetD8Async(Pointers.at(address), (byte) 0, byteSize, backend.compute.handle()));
    }

    /** Device address, 64-byte aligned, of what the writer writes, for kernels launched right after this call. */
    long put(int byteSize, Writer writer) {
        if (byteSize > LARGEST) {
            throw new IllegalArgumentException("step scalars: at most " + LARGEST + " bytes: byteSize=" + byteSize);
        }
        synchronized (backend.lock) {
            Recording recording = backend.recording();
            if (recording != null) {
                return recording.scalars().reserve(writer);
            }
            backend.enter();
            int entry = next;
            if (entry % ENTRIES_PER_SEGMENT == 0) {
                // The host is about to overwrite entries whose copies were queued a ring ago.
                ends[entry / ENTRIES_PER_SEGMENT].synchronize();
            }
            writer.write(StepState.EAGER, entries[entry]);
            long address = device.blockAddress() + (long) entry * LARGEST;
            try {
                JCudaDriver.cuMemcpyHtoDAsync(
                        Pointers.at(address), host.at((long) entry * LARGEST), byteSize, backend.compute.handle());
            } catch (CudaException e) {
                throw Driver.failure("cuMemcpyHtoDAsync", e);
            }
            next = (entry + 1) % ENTRIES;
            if (next % ENTRIES_PER_SEGMENT == 0) {
                ends[entry / ENTRIES_PER_SEGMENT].record(backend.compute);
            }
            return address;
        }
    }

    /** Device address of an int: where it is not 0, something in the recorded step was wrong, and updates must leave everything as it is. Always 0 outside of recordings. */
    long guard() {
        return backend.capturing() ? problem() : never();
    }

    private long never() {
        return device.blockAddress() + (long) ENTRIES * LARGEST;
    }

    /** Device address of the int that recorded steps set bits in. */
    long problem() {
        return never() + LARGEST;
    }

    void clearProblem() {
        clear(problem(), Integer.BYTES);
    }

    @Override
    public void close() {
        for (Event end : ends) {
            if (end != null) {
                end.close();
            }
        }
        if (host != null) {
            host.close();
        }
        device.release();
    }
}
