package tenon.engine.backend.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jcuda.CudaException;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnHandle;
import jcuda.runtime.cudaStream_t;
import tenon.engine.DeviceException;
import tenon.engine.TenonException;
import tenon.engine.nativelib.CudaLibraries;
import tenon.engine.nativelib.CudaPart;
import tenon.engine.nativelib.JcudaNatives;
import tenon.engine.nativelib.NativeLibrary;

/** The back-end's cuDNN handle, made on first use and bound to the compute stream. Use it under the back-end's lock. */
final class CudnnHandle implements AutoCloseable {
    /** JCudnn's classes know the numbers of cuDNN 8, and write those of version 9 so. */
    private static final Pattern UNKNOWN_STATUS = Pattern.compile("INVALID cudnnStatus: (\\d+)");

    private static final int MESSAGE_LENGTH = 1024;

    private final CudaBackend backend;
    private cudnnHandle handle;
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
            cudnnHandle made = new cudnnHandle();
            call("cudnnCreate", () -> JCudnn.cudnnCreate(made));
            try {
                call("cudnnSetStream", () -> JCudnn.cudnnSetStream(made, new cudaStream_t(backend.compute.handle())));
            } catch (DeviceException e) {
                Driver.runQuietly(() -> JCudnn.cudnnDestroy(made));
                throw e;
            }
            handle = made;
        }
        return handle;
    }

    /** Version number as {@code cudnnGetVersion} says it, e.g. 91002. */
    long version() {
        JcudaNatives.cudnn();
        return JCudnn.cudnnGetVersion();
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

    private static void call(String name, Driver.Call call) {
        try {
            call.run();
        } catch (CudaException e) {
            throw failure("cudnn", name, e);
        }
    }

    /** Whether cuDNN cannot do what it was asked for, as opposed to having failed. */
    static boolean isNotSupported(CudaException e) {
        int status = status(e);
        return status >= 3000 && status < 4000 || e.getMessage().equals("CUDNN_STATUS_NOT_SUPPORTED");
    }

    /** Status as a number of cuDNN 9, 0 for one that JCudnn has a name for. */
    private static int status(CudaException e) {
        Matcher matcher = UNKNOWN_STATUS.matcher(e.getMessage());
        return matcher.matches() ? Integer.parseInt(matcher.group(1)) : 0;
    }

    /** For {@code catch (CudaException e)} around calls of cuDNN: the status by name, and what cuDNN says about it. */
    static DeviceException failure(String op, String call, CudaException e) {
        int status = status(e);
        String name = status == 0 ? e.getMessage() : JCudnn.cudnnGetErrorString(status);
        String detail = lastError();
        return new DeviceException(TenonException.where(op) + ": " + call + ": " + name
                + (detail.isEmpty() ? "" : ": " + detail)
                + " (CUDNN_LOGLEVEL_DBG=1 CUDNN_LOGDEST_DBG=stderr makes cuDNN say more)");
    }

    /** cuDNN 9 keeps a sentence about the last failure. */
    private static String lastError() {
        NativeLibrary library = CudaLibraries.load().library(CudaPart.CUDNN);
        if (!library.has("cudnnGetLastErrorString")) {
            return "";
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(MESSAGE_LENGTH);
            library.function(
                            "cudnnGetLastErrorString",
                            FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG))
                    .invokeExact(text, (long) MESSAGE_LENGTH);
            return text.getString(0).strip();
        } catch (Throwable e) {
            throw new IllegalStateException("cudnnGetLastErrorString failed", e);
        }
    }

    @Override
    public void close() {
        if (handle != null) {
            Driver.runQuietly(() -> JCudnn.cudnnDestroy(handle));
            handle = null;
        }
    }
}
