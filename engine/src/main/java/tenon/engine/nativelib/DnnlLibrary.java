package tenon.engine.nativelib;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.Loader;
import tenon.engine.TenonException;

/** Loads oneDNN, and with it the OpenMP library in its jar. */
public final class DnnlLibrary {
    private static String path;

    private DnnlLibrary() {}

    /** Path of the library, which is loaded the first time from a folder that allows unpacking and executing. */
    public static synchronized String load() {
        if (path == null) {
            NativeDirectory.prepare();
            limitSpinning();
            try {
                path = Loader.load(dnnl.class);
            } catch (UnsatisfiedLinkError | NoClassDefFoundError e) {
                throw new TenonException(
                        "oneDNN: the native library must load: " + e.getMessage()
                                + " (is there a dnnl jar for this platform? can the folder -D"
                                + NativeDirectory.PROPERTY
                                + " be written and executed?)",
                        e);
            }
        }
        return path;
    }

    /**
     * Waiting OpenMP threads spin for some 30 µs before they sleep, unless the user chose otherwise: GNU's default of milliseconds starves everything
     * else on the machine, and sleeping at once costs small networks a quarter of their speed. The library reads the variable when it loads.
     */
    @SuppressWarnings("restricted")
    private static void limitSpinning() {
        if (System.getenv("OMP_WAIT_POLICY") != null || System.getenv("GOMP_SPINCOUNT") != null) {
            return;
        }
        Linker linker = Linker.nativeLinker();
        MemorySegment setenv = linker.defaultLookup().find("setenv").orElse(null);
        if (setenv == null) {
            return;
        }
        MethodHandle call = linker.downcallHandle(
                setenv,
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        try (Arena arena = Arena.ofConfined()) {
            int status = (int) call.invokeExact(arena.allocateFrom("GOMP_SPINCOUNT"), arena.allocateFrom("10000"), 0);
            if (status != 0) {
                throw new IllegalStateException("setenv GOMP_SPINCOUNT failed: status=" + status);
            }
        } catch (Throwable e) {
            throw new IllegalStateException("setenv failed", e);
        }
    }
}
