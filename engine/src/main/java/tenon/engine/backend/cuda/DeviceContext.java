package tenon.engine.backend.cuda;

import java.nio.charset.StandardCharsets;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.JCudaDriver;
import tenon.engine.DeviceException;
import tenon.engine.nativelib.CudaLibraries;
import tenon.engine.nativelib.JcudaNatives;

/** One GPU's primary context, which cuDNN and cuBLAS use too, and the facts about the GPU. Back-ends on one device share the context, which the driver counts. */
final class DeviceContext implements AutoCloseable {
    private final CUdevice device;
    private final CUcontext context = new CUcontext();
    private final int index;
    private final String gpuName;
    private final int capability;
    private final int multiprocessors;
    private boolean closed;

    /** @throws DeviceException where there is no such device, or no driver; says what to do */
    DeviceContext(int index) {
        this.index = index;
        device = find(index);
        byte[] name = new byte[256];
        Driver.run("cuDeviceGetName", () -> JCudaDriver.cuDeviceGetName(name, name.length, device));
        gpuName = new String(name, StandardCharsets.UTF_8).replaceAll("\0.*", "");
        capability = 10 * attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
                + attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
        multiprocessors = attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
        Driver.run("cuDevicePrimaryCtxRetain", () -> JCudaDriver.cuDevicePrimaryCtxRetain(context, device));
    }

    /** The device of that number. Throws as the constructor does, and makes no context. */
    static CUdevice find(int index) {
        int count = count();
        if (index >= count) {
            throw new DeviceException("cuda:" + index + ": the machine has " + count + " GPU" + (count == 1 ? "" : "s")
                    + " that the driver sees, numbered from 0 (./tenon doctor lists them)");
        }
        CUdevice found = new CUdevice();
        Driver.run("cuDeviceGet", () -> JCudaDriver.cuDeviceGet(found, index));
        return found;
    }

    /** Devices that the driver sees. */
    static int count() {
        CudaLibraries.load();
        JcudaNatives.driver();
        Driver.run("cuInit", () -> JCudaDriver.cuInit(0));
        int[] count = new int[1];
        Driver.run("cuDeviceGetCount", () -> JCudaDriver.cuDeviceGetCount(count));
        return count[0];
    }

    private int attribute(int attribute) {
        int[] value = new int[1];
        Driver.run("cuDeviceGetAttribute", () -> JCudaDriver.cuDeviceGetAttribute(value, attribute, device));
        return value[0];
    }

    /** Makes the context current on this thread. */
    void enter() {
        try {
            JCudaDriver.cuCtxSetCurrent(context);
        } catch (jcuda.CudaException e) {
            throw Driver.failure("cuCtxSetCurrent", e);
        }
    }

    CUcontext handle() {
        return context;
    }

    CUdevice device() {
        return device;
    }

    String gpuName() {
        return gpuName;
    }

    /** Compute capability times 10, e.g. 90. */
    int capability() {
        return capability;
    }

    int multiprocessors() {
        return multiprocessors;
    }

    /** Free and total bytes of the device as the driver says. */
    long[] memory() {
        enter();
        long[] free = new long[1];
        long[] total = new long[1];
        Driver.run("cuMemGetInfo", () -> JCudaDriver.cuMemGetInfo(free, total));
        return new long[] {free[0], total[0]};
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            Driver.runQuietly(() -> JCudaDriver.cuDevicePrimaryCtxRelease(device));
        }
    }

    @Override
    public String toString() {
        return "cuda:" + index;
    }
}
