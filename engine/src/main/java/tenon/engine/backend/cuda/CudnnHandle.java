package tenon.engine.backend.cuda;

import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnHandle;
import jcuda.runtime.cudaStream_t;
import tenon.engine.DeviceException;
import tenon.engine.nativelib.JcudaNatives;

/** The back-end's cuDNN handle, made on first use and bound to the compute stream. Use it under the back-end's lock. */
final class CudnnHandle implements AutoCloseable {
    private static final class Handle extends cudnnHandle {
        long address() {
            return getNativePointer();
        }
    }

    private final CudaBackend backend;
    private Handle handle;
    private String machine;
    private long descriptors;
    private long plans;

    CudnnHandle(CudaBackend backend) {
        this.backend = backend;
    }

    cudnnHandle get() {
        if (handle == null) {
            backend.checkNotCapturing("cudnnCreate");
            JcudaNatives.cudnn();
            backend.enter();
            Handle made = new Handle();
            CudnnStatus.check("cudnn", "cudnnCreate", JCudnn.cudnnCreate(made));
            try {
                CudnnStatus.check(
                        "cudnn",
                        "cudnnSetStream",
                        JCudnn.cudnnSetStream(made, new cudaStream_t(backend.compute.handle())));
            } catch (DeviceException e) {
                JCudnn.cudnnDestroy(made);
                throw e;
            }
            handle = made;
        }
        return handle;
    }

    /** The handle as a number, where calls take the address of one. */
    long address() {
        get();
        return handle.address();
    }

    /** Version number as {@code cudnnGetVersion} says it, e.g. 91002. */
    long version() {
        JcudaNatives.cudnn();
        return JCudnn.cudnnGetVersion();
    }

    /** GPU and library: what was measured holds for this pair only. */
    String machine() {
        if (machine == null) {
            machine = backend.gpuName() + " cuDNN " + version();
        }
        return machine;
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

    @Override
    public void close() {
        if (handle != null) {
            JCudnn.cudnnDestroy(handle);
            handle = null;
        }
    }
}
