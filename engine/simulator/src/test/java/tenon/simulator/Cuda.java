package tenon.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A program that uses the simulated libraries as a C program would: one context, and calls by name. Closing it puts everything back, so that the next test
 * finds a fresh device.
 */
final class Cuda implements AutoCloseable {
    static final int SUCCESS = 0;
    static final int INVALID_VALUE = 1;
    static final int OUT_OF_MEMORY = 2;
    static final int NON_BLOCKING = 1;

    final Simulator simulator;
    final Arena arena = Arena.ofShared();
    private final SymbolLookup driver;
    private final SymbolLookup nvrtc;
    private final List<Long> contexts = new ArrayList<>();

    @SuppressWarnings("restricted") // loads libraries
    Cuda() {
        assumeTrue(SimulatedDevice.why().isEmpty(), () -> SimulatedDevice.why().orElseThrow());
        Path folder = SimulatedDevice.folder();
        simulator = new Simulator(folder);
        driver = SymbolLookup.libraryLookup(folder.resolve("libcuda.so.1"), Arena.global());
        nvrtc = SymbolLookup.libraryLookup(folder.resolve("libnvrtc.so.12"), Arena.global());
        simulator.reset();
        check("cuInit", 0);
    }

    /** A program with a context on device 0. */
    static Cuda withContext() {
        Cuda cuda = new Cuda();
        cuda.context(0);
        return cuda;
    }

    /** Makes a context, which is the thread's current one then. */
    long context(int device) {
        long context = make("cuCtxCreate_v2", 0, device);
        contexts.add(context);
        return context;
    }

    /** The status of a call. Arguments are Integer, Long, Float, MemorySegment or null. */
    @SuppressWarnings("restricted") // calls a library
    int call(String name, Object... arguments) {
        SymbolLookup library = name.startsWith("nvrtc") ? nvrtc : driver;
        Object[] values = new Object[arguments.length];
        MemoryLayout[] layouts = new MemoryLayout[arguments.length];
        for (int i = 0; i < arguments.length; i++) {
            values[i] = arguments[i] == null ? MemorySegment.NULL : arguments[i];
            layouts[i] = switch (values[i]) {
                case Integer _ -> ValueLayout.JAVA_INT;
                case Long _ -> ValueLayout.JAVA_LONG;
                case MemorySegment _ -> ValueLayout.ADDRESS;
                default -> throw new IllegalArgumentException(name + ": " + values[i]);
            };
        }
        try {
            return (int) Linker.nativeLinker()
                    .downcallHandle(library.findOrThrow(name), FunctionDescriptor.of(ValueLayout.JAVA_INT, layouts))
                    .invokeWithArguments(values);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    MemorySegment address(String name) {
        return driver.findOrThrow(name);
    }

    void check(String name, Object... arguments) {
        int status = call(name, arguments);
        assertThat(status).as(() -> name + " " + simulator.violations()).isEqualTo(SUCCESS);
    }

    /** A call whose first argument is the place for what it makes. */
    long make(String name, Object... arguments) {
        MemorySegment result = arena.allocate(ValueLayout.JAVA_LONG);
        Object[] all = new Object[arguments.length + 1];
        all[0] = result;
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        check(name, all);
        return result.get(ValueLayout.JAVA_LONG, 0);
    }

    long allocate(long bytes) {
        return make("cuMemAlloc_v2", bytes);
    }

    /** Pinned. */
    MemorySegment pinned(long floats) {
        return memory(make("cuMemHostAlloc", 4 * floats, 0), 4 * floats);
    }

    /** Not pinned. */
    MemorySegment host(float... values) {
        return arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
    }

    @SuppressWarnings("restricted") // memory of the driver
    static MemorySegment memory(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }

    long stream() {
        return make("cuStreamCreate", NON_BLOCKING);
    }

    long event() {
        return make("cuEventCreate", 0);
    }

    /** Device memory with values in it. */
    long upload(float... values) {
        long address = allocate(4L * values.length);
        check("cuMemcpyHtoD_v2", address, host(values), 4L * values.length);
        return address;
    }

    /** Waits for the device, then reads. */
    float[] download(long address, int count) {
        check("cuCtxSynchronize");
        MemorySegment values = arena.allocate(ValueLayout.JAVA_FLOAT, count);
        check("cuMemcpyDtoH_v2", values, address, 4L * count);
        return values.toArray(ValueLayout.JAVA_FLOAT);
    }

    // ---- Kernels ----

    /** Compiles with NVRTC; returns the status. The log and the image go where the caller asks for them. */
    int compile(String source, String architecture, StringBuilder log, MemorySegment[] image, String... options) {
        long program =
                make("nvrtcCreateProgram", arena.allocateFrom(source), arena.allocateFrom("test.cu"), 0, null, null);
        MemorySegment list = arena.allocate(ValueLayout.ADDRESS, 1 + options.length);
        list.set(ValueLayout.ADDRESS, 0, arena.allocateFrom("--gpu-architecture=" + architecture));
        for (int i = 0; i < options.length; i++) {
            list.setAtIndex(ValueLayout.ADDRESS, i + 1, arena.allocateFrom(options[i]));
        }
        int status = call("nvrtcCompileProgram", program, 1 + options.length, list);
        MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
        check("nvrtcGetProgramLogSize", program, size);
        MemorySegment text = arena.allocate(size.get(ValueLayout.JAVA_LONG, 0));
        check("nvrtcGetProgramLog", program, text);
        log.append(text.getString(0));
        if (status == SUCCESS && image != null) {
            check("nvrtcGetCUBINSize", program, size);
            image[0] = arena.allocate(Math.max(1, size.get(ValueLayout.JAVA_LONG, 0)));
            check("nvrtcGetCUBIN", program, image[0]);
        }
        MemorySegment handle = arena.allocateFrom(ValueLayout.JAVA_LONG, program);
        check("nvrtcDestroyProgram", handle);
        return status;
    }

    long module(String source, String... options) {
        StringBuilder log = new StringBuilder();
        MemorySegment[] image = new MemorySegment[1];
        assertThat(compile(source, "sm_90", log, image, options))
                .as(log.toString())
                .isEqualTo(SUCCESS);
        return make("cuModuleLoadData", image[0]);
    }

    long kernel(String source, String name, String... options) {
        return make("cuModuleGetFunction", module(source, options), arena.allocateFrom(name));
    }

    /** Launches on a stream; arguments are Integer, Long or Float. */
    int launch(long kernel, int blocks, int threads, long stream, Object... arguments) {
        MemorySegment parameters = arena.allocate(ValueLayout.ADDRESS, Math.max(1, arguments.length));
        for (int i = 0; i < arguments.length; i++) {
            MemorySegment value = arena.allocate(8, 8);
            switch (arguments[i]) {
                case Integer number -> value.set(ValueLayout.JAVA_INT, 0, number);
                case Long number -> value.set(ValueLayout.JAVA_LONG, 0, number);
                case Float number -> value.set(ValueLayout.JAVA_FLOAT, 0, number);
                default -> throw new IllegalArgumentException();
            }
            parameters.setAtIndex(ValueLayout.ADDRESS, i, value);
        }
        return call("cuLaunchKernel", kernel, blocks, 1, 1, threads, 1, 1, 0, stream, parameters, null);
    }

    /** Launches on the default stream and waits; the status of the two. */
    int run(long kernel, int blocks, int threads, Object... arguments) {
        int status = launch(kernel, blocks, threads, 0, arguments);
        return status != SUCCESS ? status : call("cuCtxSynchronize");
    }

    @Override
    public void close() {
        for (long context : contexts) {
            call("cuCtxDestroy_v2", context);
        }
        simulator.reset();
        arena.close();
    }
}
