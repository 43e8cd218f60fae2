package tenon.engine.nativelib;

import java.util.Map;

/** What the driver's status numbers and names mean for who sees them. */
public final class CudaStatus {
    static final int NO_DEVICE = 100;

    private static final Map<Integer, String> NAMES = Map.ofEntries(
            Map.entry(1, "CUDA_ERROR_INVALID_VALUE"),
            Map.entry(2, "CUDA_ERROR_OUT_OF_MEMORY"),
            Map.entry(3, "CUDA_ERROR_NOT_INITIALIZED"),
            Map.entry(34, "CUDA_ERROR_STUB_LIBRARY"),
            Map.entry(46, "CUDA_ERROR_DEVICE_UNAVAILABLE"),
            Map.entry(NO_DEVICE, "CUDA_ERROR_NO_DEVICE"),
            Map.entry(101, "CUDA_ERROR_INVALID_DEVICE"),
            Map.entry(209, "CUDA_ERROR_NO_BINARY_FOR_GPU"),
            Map.entry(218, "CUDA_ERROR_INVALID_PTX"),
            Map.entry(222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"),
            Map.entry(700, "CUDA_ERROR_ILLEGAL_ADDRESS"),
            Map.entry(701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"),
            Map.entry(719, "CUDA_ERROR_LAUNCH_FAILED"),
            Map.entry(803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"),
            Map.entry(804, "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE"),
            Map.entry(999, "CUDA_ERROR_UNKNOWN"));

    private static final Map<String, String> ADVICE = Map.ofEntries(
            Map.entry(
                    "CUDA_ERROR_OUT_OF_MEMORY",
                    "the device has no memory left; use a smaller batch, and see with nvidia-smi who else uses it"),
            Map.entry("CUDA_ERROR_STUB_LIBRARY", "this libcuda.so.1 is the stub of a toolkit; install a driver"),
            Map.entry(
                    "CUDA_ERROR_DEVICE_UNAVAILABLE",
                    "another process uses the device exclusively, see nvidia-smi -q -d COMPUTE"),
            Map.entry(
                    "CUDA_ERROR_NO_DEVICE",
                    "the driver sees no GPU; is CUDA_VISIBLE_DEVICES set to none, or a container started without"
                            + " --gpus all?"),
            Map.entry("CUDA_ERROR_INVALID_DEVICE", "there is no device of that number; ./tenon doctor lists them"),
            Map.entry(
                    "CUDA_ERROR_NO_BINARY_FOR_GPU",
                    "the kernels were compiled for another GPU; NVRTC may be too old for this one: install a newer"
                            + " release"),
            Map.entry(
                    "CUDA_ERROR_UNSUPPORTED_PTX_VERSION",
                    "NVRTC is newer than the driver; update the driver, or install an older NVRTC"),
            Map.entry(
                    "CUDA_ERROR_ILLEGAL_ADDRESS",
                    "an earlier kernel went out of bounds, and the device's context is lost: start again, with"
                            + " -Dtenon.cuda.blocking=true to see which operation it was"),
            Map.entry(
                    "CUDA_ERROR_LAUNCH_FAILED",
                    "an earlier kernel failed, and the device's context is lost: start again, with"
                            + " -Dtenon.cuda.blocking=true to see which operation it was"),
            Map.entry(
                    "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
                    "the driver's library and its kernel module are of different versions; restart the machine"),
            Map.entry(
                    "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE",
                    "a forward-compatibility driver is installed that this GPU does not take; remove the package"
                            + " cuda-compat"),
            Map.entry(
                    "CUDA_ERROR_UNKNOWN",
                    "the driver did not start; is the module nvidia_uvm loaded (nvidia-modprobe -u), and may this"
                            + " user open /dev/nvidia*?"));

    private CudaStatus() {}

    /** Name of a status and what to do, e.g. {@code CUDA_ERROR_NO_DEVICE (the driver sees no GPU; …)}. */
    public static String describe(int status) {
        return describe(NAMES.getOrDefault(status, "status " + status));
    }

    /** The same for a status by name. */
    public static String describe(String name) {
        String advice = ADVICE.get(name);
        return advice == null ? name : name + " (" + advice + ")";
    }
}
