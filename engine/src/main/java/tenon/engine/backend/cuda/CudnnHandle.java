package tenon.engine.backend.cuda;

import jcuda.jcudnn.cudnnHandle;
import tenon.engine.TenonException;

/** The back-end's cuDNN handle, made on first use and bound to the compute stream. Use it under the back-end's lock. */
final class CudnnHandle implements AutoCloseable {
    private final CudaBackend backend;
    private long descriptors;
    private long plans;

    CudnnHandle(CudaBackend backend) {
        this.backend = backend;
    }

    cudnnHandle get() {
        throw new UnsupportedOperationException(backend.name() + ": CudnnHandle.get");
    }

    /** Version number as {@code cudnnGetVersion} says it, e.g. 91002. */
    long version() {
        throw new UnsupportedOperationException(backend.name() + ": CudnnHandle.version");
    }

    /** Counts a descriptor that was created. */
    void countDescriptor() {
        descriptors++;
    }

    /** Counts an execution plan, or an algorithm that was chosen. */
    void countPlan() {
        plans++;
    }

    long descriptors() {
        return descriptors;
    }

    long plans() {
        return plans;
    }

    /** For {@code catch (CudaException e)} around calls of cuDNN: the status with what it means and what to do. */
    static TenonException failure(String op, String call, jcuda.CudaException e) {
        return new TenonException(TenonException.where(op) + ": " + call + ": " + e.getMessage());
    }

    @Override
    public void close() {}
}
