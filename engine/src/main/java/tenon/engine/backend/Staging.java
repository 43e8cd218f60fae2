package tenon.engine.backend;

import java.lang.foreign.MemorySegment;
import tenon.engine.Tensor;

/** Uploads that run beside the computation. Safe for use by several threads. */
public interface Staging {
    /** Host memory that the device reads directly. It lives until the back-end is closed or {@link #free} is called. */
    MemorySegment hostBuffer(long byteSize);

    /** Gives a buffer of {@link #hostBuffer} back, whole. Waits for uploads from it. */
    void free(MemorySegment buffer);

    /**
     * Starts to copy {@code from}, a part of a {@link #hostBuffer} of the tensor's size, into {@code to}. The copy waits for computation on the tensor that was asked for before this call. The
     * host must not write to {@code from} before {@link Upload#awaitOnHost}.
     */
    Upload begin(MemorySegment from, Tensor to);

    /** An upload that was started. */
    interface Upload {
        /** Computation that is asked for after this call finds the contents; the host goes on at once. */
        void awaitOnDevice();

        /** Waits on the host until the copy is done. */
        void awaitOnHost();
    }
}
