package tenon.engine.backend.cuda;

import jcuda.CudaException;
import tenon.engine.DeviceException;
import tenon.engine.TenonException;
import tenon.engine.nativelib.CudaStatus;

/** The one place where a failed call of the driver becomes an exception of ours. JCuda throws for every status but success, see {@link tenon.engine.nativelib.JcudaNatives}. */
final class Driver {
    private static final String OUT_OF_MEMORY = "CUDA_ERROR_OUT_OF_MEMORY";
    private static final String NOT_READY = "CUDA_ERROR_NOT_READY";

    /** Calls of the driver; one whose status is looked at by nobody throws all the same. */
    @FunctionalInterface
    interface Call {
        int run();
    }

    private Driver() {}

    /** For calls that are not made in every step. */
    static void run(String name, Call call) {
        try {
            call.run();
        } catch (CudaException e) {
            throw failure(name, e);
        }
    }

    /** For calls on the way out of an error or of {@code close()}, which must not hide the error or keep the rest from being freed. */
    static void runQuietly(Call call) {
        try {
            call.run();
        } catch (CudaException _) {
            // The device is lost, and with it what should have been freed; whoever uses it next gets the error.
        }
    }

    /** For {@code catch (CudaException e)} around calls of the driver. */
    static DeviceException failure(String call, CudaException e) {
        return new DeviceException(TenonException.where(call) + ": " + CudaStatus.describe(e.getMessage()));
    }

    static boolean isOutOfMemory(CudaException e) {
        return OUT_OF_MEMORY.equals(e.getMessage());
    }

    static boolean isNotReady(CudaException e) {
        return NOT_READY.equals(e.getMessage());
    }
}
