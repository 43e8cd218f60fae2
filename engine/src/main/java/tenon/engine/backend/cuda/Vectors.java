package tenon.engine.backend.cuda;

import tenon.engine.DType;
import tenon.engine.Tensor;

/** Facts about tensors that launches need. A tensor's memory begins at a multiple of 64 bytes. */
final class Vectors {
    /** Bytes of the widest load. */
    static final int BYTES = 16;

    private Vectors() {}

    /** Elements that a thread takes at once. */
    static int width(DType dtype) {
        return BYTES / dtype.byteSize();
    }

    /** Threads that elementwise kernels want for {@code count} elements. */
    static long threads(long count, DType dtype) {
        int width = width(dtype);
        return (count + width - 1) / width;
    }

    /** Address for kernels that only read. */
    static long in(Tensor tensor) {
        return tensor.storage().blockAddress();
    }

    /** Address for kernels that write: copies made of the contents are out of date from then on. */
    static long out(Tensor tensor) {
        return tensor.address();
    }

    /** {@link #out}, or 0 for null. */
    static long outOrNull(Tensor tensor) {
        return tensor == null ? 0 : tensor.address();
    }
}
