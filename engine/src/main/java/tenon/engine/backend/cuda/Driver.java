package tenon.engine.backend.cuda;

import jcuda.CudaException;
import tenon.engine.DeviceException;
import tenon.engine.TenonException;

/** The one place where a failed driver call becomes an exception of ours. */
final class Driver {
    private Driver() {}

    /** For {@code catch (CudaException e)} around calls of the driver. */
    static DeviceException failure(String call, CudaException e) {
        return new DeviceException(TenonException.where(call) + ": " + e.getMessage());
    }
}
