package tenon.engine.backend.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import tenon.engine.DeviceException;
import tenon.engine.nativelib.CudaLibraries;
import tenon.engine.nativelib.CudaPart;
import tenon.engine.nativelib.NativeLibrary;

/** NVIDIA's run-time compiler, of CUDA 12 or 13, through the foreign-function API. Safe for use by several threads. */
final class Nvrtc {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final MemoryLayout POINTER = ValueLayout.ADDRESS;
    private static final int COMPILATION_FAILED = 6;

    private final NativeLibrary library;

    Nvrtc() {
        this(CudaLibraries.load().library(CudaPart.NVRTC));
    }

    Nvrtc(NativeLibrary library) {
        this.library = library;
    }

    /** E.g. {@code 12.6}. */
    String version() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment major = arena.allocate(INT);
            MemorySegment minor = arena.allocate(INT);
            check("nvrtcVersion", call("nvrtcVersion", major, minor));
            return major.get(INT, 0) + "." + minor.get(INT, 0);
        }
    }

    /**
     * The architecture to compile for: the device's own, or where this NVRTC does not know it, the newest older one, as an intermediate code that the driver translates.
     *
     * @param capability of the device, times 10
     * @throws DeviceException where the device is older than all
     */
    String architecture(int capability) {
        int[] known = architectures();
        if (known.length == 0 || Arrays.binarySearch(known, capability) >= 0) {
            return "sm_" + capability;
        }
        if (capability < known[0]) {
            throw new DeviceException("cuda: NVRTC " + version() + " compiles for GPUs of compute capability "
                    + known[0] / 10.0 + " and newer, and this one has " + capability / 10.0
                    + " (install an older release of CUDA, or use --device cpu)");
        }
        int newest = known[0];
        for (int candidate : known) {
            if (candidate < capability) {
                newest = candidate;
            }
        }
        return "compute_" + newest;
    }

    private int[] architectures() {
        if (!library.has("nvrtcGetSupportedArchs")) {
            return new int[0];
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(INT);
            check("nvrtcGetNumSupportedArchs", call("nvrtcGetNumSupportedArchs", count));
            MemorySegment list = arena.allocate(INT, Math.max(1, count.get(INT, 0)));
            check("nvrtcGetSupportedArchs", call("nvrtcGetSupportedArchs", list));
            int[] known = list.asSlice(0, 4L * count.get(INT, 0)).toArray(INT);
            Arrays.sort(known);
            return known;
        }
    }

    /**
     * Compiles a program.
     *
     * @param name of the file, for messages
     * @param architecture of {@link #architecture}
     * @return machine code, or PTX for an intermediate architecture
     * @throws DeviceException with the compiler's messages
     */
    byte[] compile(String name, String source, String architecture, List<String> options) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = arena.allocate(POINTER);
            check(
                    "nvrtcCreateProgram",
                    call(
                            "nvrtcCreateProgram",
                            handle,
                            arena.allocateFrom(source),
                            arena.allocateFrom(name),
                            0,
                            MemorySegment.NULL,
                            MemorySegment.NULL));
            MemorySegment program = handle.get(ValueLayout.ADDRESS, 0);
            try {
                MemorySegment list = arena.allocate(POINTER, options.size() + 1);
                list.setAtIndex(ValueLayout.ADDRESS, 0, arena.allocateFrom("--gpu-architecture=" + architecture));
                for (int i = 0; i < options.size(); i++) {
                    list.setAtIndex(ValueLayout.ADDRESS, i + 1, arena.allocateFrom(options.get(i)));
                }
                int status = call("nvrtcCompileProgram", program, options.size() + 1, list);
                if (status == COMPILATION_FAILED) {
                    throw new DeviceException("cuda: " + name + " does not compile with NVRTC " + version() + " for "
                            + architecture + ":\n" + log(arena, program));
                }
                check("nvrtcCompileProgram", status);
                String kind = architecture.startsWith("sm_") ? "CUBIN" : "PTX";
                return result(arena, program, kind);
            } finally {
                call("nvrtcDestroyProgram", handle);
            }
        }
    }

    private String log(Arena arena, MemorySegment program) {
        byte[] text = result(arena, program, "ProgramLog");
        int length = text.length;
        while (length > 0 && text[length - 1] == 0) {
            length--;
        }
        return new String(text, 0, length, java.nio.charset.StandardCharsets.UTF_8);
    }

    private byte[] result(Arena arena, MemorySegment program, String what) {
        MemorySegment size = arena.allocate(LONG);
        check("nvrtcGet" + what + "Size", call("nvrtcGet" + what + "Size", program, size));
        MemorySegment bytes = arena.allocate(Math.max(1, size.get(LONG, 0)));
        check("nvrtcGet" + what, call("nvrtcGet" + what, program, bytes));
        return bytes.asSlice(0, size.get(LONG, 0)).toArray(ValueLayout.JAVA_BYTE);
    }

    private int call(String name, Object... arguments) {
        MemoryLayout[] layouts = new MemoryLayout[arguments.length];
        for (int i = 0; i < arguments.length; i++) {
            layouts[i] = arguments[i] instanceof Integer ? INT : POINTER;
        }
        try {
            return (int)
                    library.function(name, FunctionDescriptor.of(INT, layouts)).invokeWithArguments(arguments);
        } catch (DeviceException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(name + " failed", e);
        }
    }

    /** The one place where a failed call of NVRTC becomes an exception. */
    private static void check(String call, int status) {
        if (status != 0) {
            throw new DeviceException("cuda: " + call + ": " + describe(status));
        }
    }

    private static String describe(int status) {
        return switch (status) {
            case 1 -> "NVRTC_ERROR_OUT_OF_MEMORY (the host's memory is exhausted)";
            case 2 -> "NVRTC_ERROR_PROGRAM_CREATION_FAILURE";
            case 3 -> "NVRTC_ERROR_INVALID_INPUT";
            case 4 -> "NVRTC_ERROR_INVALID_PROGRAM";
            case 5 -> "NVRTC_ERROR_INVALID_OPTION (this NVRTC does not know the GPU; install a newer release of CUDA)";
            case COMPILATION_FAILED -> "NVRTC_ERROR_COMPILATION";
            case 7 ->
                "NVRTC_ERROR_BUILTIN_OPERATION_FAILURE (libnvrtc-builtins of NVRTC's own version must lie beside it)";
            default -> "status " + status;
        };
    }
}
