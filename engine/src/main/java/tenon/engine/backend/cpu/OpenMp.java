package tenon.engine.backend.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** The OpenMP library that oneDNN loaded, called through the foreign-function API. Functions may be missing where it is not GNU's. */
final class OpenMp {
    private static OpenMp found;

    private final MethodHandle setThreads;
    private final MethodHandle parallel;
    private final MethodHandle threadNumber;
    private final MethodHandle teamSize;

    private OpenMp(SymbolLookup library) {
        setThreads = bind(library, "omp_set_num_threads", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT), true);
        threadNumber = bind(library, "omp_get_thread_num", FunctionDescriptor.of(ValueLayout.JAVA_INT), true);
        teamSize = bind(library, "omp_get_num_threads", FunctionDescriptor.of(ValueLayout.JAVA_INT), true);
        parallel = bind(
                library,
                "GOMP_parallel",
                FunctionDescriptor.ofVoid(
                        ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT),
                false);
    }

    @SuppressWarnings("restricted")
    private static MethodHandle bind(SymbolLookup library, String name, FunctionDescriptor type, boolean shortCall) {
        Linker.Option[] options =
                shortCall ? new Linker.Option[] {Linker.Option.critical(false)} : new Linker.Option[0];
        return library.find(name)
                .map(address -> Linker.nativeLinker().downcallHandle(address, type, options))
                .orElse(null);
    }

    /**
     * The library that oneDNN is bound to: symbols are looked up through oneDNN's own dependencies, because another copy would be a second, idle thread
     * pool.
     *
     * @param dnnl path of the loaded oneDNN library
     */
    @SuppressWarnings("restricted")
    static synchronized OpenMp find(String dnnl) {
        if (found == null) {
            found = new OpenMp(SymbolLookup.libraryLookup(Path.of(dnnl), Arena.global()));
        }
        return found;
    }

    /** Whether Java code can run on the library's threads. */
    boolean hasParallel() {
        return parallel != null && threadNumber != null && teamSize != null;
    }

    /** Thread count of the parallel regions that the calling thread starts from now on. */
    void setThreads(int threads) {
        if (setThreads != null) {
            try {
                setThreads.invokeExact(threads);
            } catch (Throwable e) {
                throw new IllegalStateException("omp_set_num_threads failed", e);
            }
        }
    }

    /** Runs the native function on {@code threads} threads, the caller being one of them, and waits for all. */
    void parallel(MemorySegment function, int threads) {
        try {
            parallel.invokeExact(function, MemorySegment.NULL, threads, 0);
        } catch (Throwable e) {
            throw new IllegalStateException("GOMP_parallel failed", e);
        }
    }

    /** Number of the calling thread within its parallel region. */
    int threadNumber() {
        try {
            return (int) threadNumber.invokeExact();
        } catch (Throwable e) {
            throw new IllegalStateException("omp_get_thread_num failed", e);
        }
    }

    int teamSize() {
        try {
            return (int) teamSize.invokeExact();
        } catch (Throwable e) {
            throw new IllegalStateException("omp_get_num_threads failed", e);
        }
    }
}
