package tenon.engine.backend.cuda;

import java.lang.foreign.MemorySegment;
import tenon.engine.backend.StepState;

/** Small values that kernels read from device memory, because they differ between two runs of a recorded step: rates, bias corrections, the step of random draws. */
final class StepScalars implements AutoCloseable {
    /** Largest size of one entry in bytes. */
    static final int LARGEST = 64;

    /** Computes an entry. Kept by a recording, which calls it before each replay. */
    interface Writer {
        /** @param now {@link StepState#EAGER} outside of recordings */
        void write(StepState now, MemorySegment to);
    }

    private final CudaBackend backend;

    StepScalars(CudaBackend backend) {
        this.backend = backend;
    }

    /** Device address, 64-byte aligned, of what the writer writes, for kernels launched after this call and before many others have asked. */
    long put(int byteSize, Writer writer) {
        throw new UnsupportedOperationException(backend.name() + ": StepScalars.put");
    }

    /** Device address of an int: where it is not 0, the step's loss was not finite, and updates must leave everything as it is. */
    long guard() {
        throw new UnsupportedOperationException(backend.name() + ": StepScalars.guard");
    }

    @Override
    public void close() {}
}
