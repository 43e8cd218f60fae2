package tenon.engine.nativelib;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import tenon.engine.DeviceException;

/** The few questions to the driver that need no context, so that they cost milliseconds; asked without JCuda, which may not load. */
final class CudaDriver {
    private static final int MAJOR_ATTRIBUTE = 75;
    private static final int MINOR_ATTRIBUTE = 76;
    private static final int NAME_LENGTH = 256;

    private final NativeLibrary library;

    private CudaDriver(NativeLibrary library) {
        this.library = library;
    }

    static CudaDriver of(NativeLibrary library) {
        return new CudaDriver(library);
    }

    /** Release of CUDA that the driver runs, as in 12060. */
    int version() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_INT);
            check("cuDriverGetVersion", call("cuDriverGetVersion", out));
            return out.get(ValueLayout.JAVA_INT, 0);
        }
    }

    /** 12060 as 12.6. */
    static String text(int version) {
        return version / 1000 + "." + version % 1000 / 10;
    }

    /** @throws DeviceException where the driver finds no GPU or cannot start; says what to do */
    List<CudaInfo.Gpu> gpus() {
        check("cuInit", call("cuInit", 0));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(8, 8);
            check("cuDeviceGetCount", call("cuDeviceGetCount", out));
            int count = out.get(ValueLayout.JAVA_INT, 0);
            if (count == 0) {
                throw failure("cuDeviceGetCount", CudaStatus.NO_DEVICE);
            }
            List<CudaInfo.Gpu> gpus = new ArrayList<>();
            MemorySegment name = arena.allocate(NAME_LENGTH);
            for (int i = 0; i < count; i++) {
                int device = device(out, i);
                check("cuDeviceGetName", call("cuDeviceGetName", name, NAME_LENGTH, device));
                int major = attribute(out, MAJOR_ATTRIBUTE, device);
                int minor = attribute(out, MINOR_ATTRIBUTE, device);
                check("cuDeviceTotalMem", call("cuDeviceTotalMem_v2", out, device));
                gpus.add(new CudaInfo.Gpu(
                        i,
                        name.getString(0),
                        major + "." + minor,
                        out.get(ValueLayout.JAVA_LONG, 0),
                        reaches(out, i, count)));
            }
            return gpus;
        }
    }

    private List<Integer> reaches(MemorySegment out, int index, int count) {
        List<Integer> reached = new ArrayList<>();
        int device = device(out, index);
        for (int other = 0; other < count; other++) {
            if (other != index) {
                int peer = device(out, other);
                check("cuDeviceCanAccessPeer", call("cuDeviceCanAccessPeer", out, device, peer));
                if (out.get(ValueLayout.JAVA_INT, 0) != 0) {
                    reached.add(other);
                }
            }
        }
        return List.copyOf(reached);
    }

    private int device(MemorySegment out, int index) {
        check("cuDeviceGet", call("cuDeviceGet", out, index));
        return out.get(ValueLayout.JAVA_INT, 0);
    }

    private int attribute(MemorySegment out, int attribute, int device) {
        check("cuDeviceGetAttribute", call("cuDeviceGetAttribute", out, attribute, device));
        return out.get(ValueLayout.JAVA_INT, 0);
    }

    private int call(String name, Object... arguments) {
        FunctionDescriptor descriptor = FunctionDescriptor.of(ValueLayout.JAVA_INT);
        for (Object argument : arguments) {
            descriptor = descriptor.appendArgumentLayouts(
                    argument instanceof Integer ? ValueLayout.JAVA_INT : ValueLayout.ADDRESS);
        }
        try {
            return (int) library.function(name, descriptor).invokeWithArguments(arguments);
        } catch (DeviceException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(name + " failed", e);
        }
    }

    private static void check(String call, int status) {
        if (status != 0) {
            throw failure(call, status);
        }
    }

    private static DeviceException failure(String call, int status) {
        return new DeviceException("cuda: " + call + ": " + CudaStatus.describe(status));
    }
}
