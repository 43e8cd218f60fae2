package tenon.engine.backend;

import java.lang.foreign.MemorySegment;
import tenon.engine.Tensor;

/**
 * Copies between host and device that run beside the computation and the program. What is made here is made once and used again in every step. Safe for use by
 * several threads, one at a time per object.
 */
public interface Staging {
    /** Host memory that the device reads and writes directly, aligned to 64 bytes. It lives until {@link #free}, or until the back-end is closed. */
    MemorySegment hostBuffer(long byteSize);

    /** Gives a buffer of {@link #hostBuffer} back, whole, once no transfer uses it. */
    void free(MemorySegment buffer);

    Mark mark();

    Transfer transfer();

    /** A point in the computation. */
    interface Mark extends AutoCloseable {
        /** Puts the mark behind all computation that was asked for so far. */
        void record();

        @Override
        void close();
    }

    /** A copy, one at a time: {@link #awaitOnHost} comes before the next. */
    interface Transfer extends AutoCloseable {
        /**
         * Starts to copy {@code from}, a part of a {@link #hostBuffer} of the tensor's size, into {@code to}. The host must not write to {@code from} before
         * {@link #awaitOnHost}, and computation sees the contents after {@link #awaitOnDevice}.
         *
         * @param after the copy waits for this mark, behind the last use of the tensor; null: for nothing
         */
        void upload(MemorySegment from, Tensor to, Mark after);

        /**
         * Starts to copy {@code from}, as the computation asked for so far leaves it, into {@code to}, a part of a {@link #hostBuffer}. Computation that is asked for
         * later comes after the copy: for results of a few bytes.
         */
        void download(Tensor from, MemorySegment to);

        /** Computation that is asked for after this call finds the copy done; the host goes on at once. */
        void awaitOnDevice();

        /** Waits on the host until the copy is done. Returns at once if there was none. */
        void awaitOnHost();

        @Override
        void close();
    }
}
