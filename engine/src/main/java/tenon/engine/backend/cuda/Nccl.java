package tenon.engine.backend.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import tenon.engine.DeviceException;
import tenon.engine.TenonException;
import tenon.engine.nativelib.NativeLibrary;

/** NCCL's functions through the foreign-function API. Communicators are numbers here; they do not block, so that they can be aborted at any time: the caller asks for their {@link #state}. */
final class Nccl {
    static final int SUCCESS = 0;
    static final int IN_PROGRESS = 7;

    private static final int UINT8 = 1;
    private static final int FLOAT32 = 7;
    private static final int SUM = 0;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final MemoryLayout POINTER = ValueLayout.ADDRESS;
    /** ncclUniqueId, which is passed by value. */
    private static final MemoryLayout ID =
            MemoryLayout.structLayout(MemoryLayout.sequenceLayout(128, ValueLayout.JAVA_BYTE));
    /** ncclConfig_t as it was in the first release that has it: later ones take it, and use their defaults for what came later. */
    private static final int CONFIG_BYTES = 24;

    private static final int CONFIG_MAGIC = 0xcafebeef;
    private static final int CONFIG_VERSION = 21400;
    private static final long MOST_TEXT = 4096;

    private final NativeLibrary library;
    private final MethodHandle initRank;
    private final MethodHandle asyncError;
    private final MethodHandle groupStart;
    private final MethodHandle groupEnd;
    private final MethodHandle allReduce;
    private final MethodHandle broadcast;
    private final MethodHandle finalizeComm;
    private final MethodHandle destroy;
    private final MethodHandle abort;

    /** @throws DeviceException where a function is missing, as from releases before 2.14 */
    Nccl(NativeLibrary library) {
        this.library = library;
        initRank = function("ncclCommInitRankConfig", POINTER, INT, ID, INT, POINTER);
        asyncError = function("ncclCommGetAsyncError", LONG, POINTER);
        groupStart = function("ncclGroupStart");
        groupEnd = function("ncclGroupEnd");
        allReduce = function("ncclAllReduce", LONG, LONG, LONG, INT, INT, LONG, LONG);
        broadcast = function("ncclBroadcast", LONG, LONG, LONG, INT, INT, LONG, LONG);
        finalizeComm = function("ncclCommFinalize", LONG);
        destroy = function("ncclCommDestroy", LONG);
        abort = function("ncclCommAbort", LONG);
    }

    private MethodHandle function(String name, MemoryLayout... arguments) {
        return library.function(name, FunctionDescriptor.of(INT, arguments));
    }

    private static int call(String name, NativeCall call) {
        try {
            return call.run();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(name + " failed", e);
        }
    }

    private interface NativeCall {
        int run() throws Throwable;
    }

    /** For example 2.27.5. */
    String version() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(INT);
            MethodHandle get = function("ncclGetVersion", POINTER);
            check("ncclGetVersion", call("ncclGetVersion", () -> (int) get.invokeExact(out)));
            int version = out.get(INT, 0);
            return version / 10000 + "." + version / 100 % 100 + "." + version % 100;
        }
    }

    /**
     * Begins communicators of all back-ends, on the device of each.
     *
     * @param arena of what NCCL up to 2.17 still reads in the background: it must stay open until {@link #state} has said of each that it is ready, or it was aborted
     */
    long[] begin(Arena arena, Iterable<CudaBackend> backends, int size) {
        MemorySegment id = arena.allocate(ID);
        MethodHandle uniqueId = function("ncclGetUniqueId", POINTER);
        check("ncclGetUniqueId", call("ncclGetUniqueId", () -> (int) uniqueId.invokeExact(id)));
        MemorySegment config = arena.allocate(CONFIG_BYTES, Long.BYTES);
        config.set(LONG, 0, CONFIG_BYTES);
        config.set(INT, 8, CONFIG_MAGIC);
        config.set(INT, 12, CONFIG_VERSION);
        config.set(INT, 16, 0); // does not block
        MemorySegment out = arena.allocate(LONG, size);
        long[] made = new long[size];
        try {
            group(() -> {
                int rank = 0;
                for (CudaBackend backend : backends) {
                    backend.enter();
                    int mine = rank++;
                    MemorySegment at = out.asSlice(mine * Long.BYTES, Long.BYTES);
                    check("ncclCommInitRankConfig", call("ncclCommInitRankConfig", () ->
                            (int) initRank.invokeExact(at, size, id, mine, config)));
                }
            });
        } catch (RuntimeException e) {
            for (int rank = 0; rank < size; rank++) {
                abort(out.getAtIndex(LONG, rank));
            }
            throw e;
        }
        for (int rank = 0; rank < size; rank++) {
            made[rank] = out.getAtIndex(LONG, rank);
        }
        return made;
    }

    /** Makes the calls one for NCCL, which may start it after this has returned. */
    void group(Runnable calls) {
        check("ncclGroupStart", call("ncclGroupStart", () -> (int) groupStart.invokeExact()));
        try {
            calls.run();
        } catch (RuntimeException | Error e) {
            // Whatever this says, the reason is known.
            int _ = call("ncclGroupEnd", () -> (int) groupEnd.invokeExact());
            throw e;
        }
        check("ncclGroupEnd", call("ncclGroupEnd", () -> (int) groupEnd.invokeExact()));
    }

    /** In place, F32. */
    void allReduceSum(long communicator, long address, long count, Stream stream) {
        check("ncclAllReduce", call("ncclAllReduce", () ->
                (int) allReduce.invokeExact(address, address, count, FLOAT32, SUM, communicator, stream.address())));
    }

    /** From rank 0, in place. */
    void broadcast(long communicator, long address, long byteSize, Stream stream) {
        check("ncclBroadcast", call("ncclBroadcast", () ->
                (int) broadcast.invokeExact(address, address, byteSize, UINT8, 0, communicator, stream.address())));
    }

    /**
     * Whether what was called last has been started: success, in progress, or an error.
     *
     * @param out room for an int
     */
    int state(long communicator, MemorySegment out) {
        check("ncclCommGetAsyncError", call("ncclCommGetAsyncError", () ->
                (int) asyncError.invokeExact(communicator, out)));
        return out.get(INT, 0);
    }

    void finalize(long communicator) {
        check("ncclCommFinalize", call("ncclCommFinalize", () -> (int) finalizeComm.invokeExact(communicator)));
    }

    void destroy(long communicator) {
        check("ncclCommDestroy", call("ncclCommDestroy", () -> (int) destroy.invokeExact(communicator)));
    }

    /** Ends what runs and frees the communicator, which 0 is none. Nobody is told of errors: something worse came before. */
    void abort(long communicator) {
        if (communicator != 0) {
            int _ = call("ncclCommAbort", () -> (int) abort.invokeExact(communicator));
        }
    }

    /** Throws unless all is well, or NCCL goes on in the background. */
    void check(String function, int status) {
        if (status != SUCCESS && status != IN_PROGRESS) {
            throw new DeviceException(TenonException.where(function) + ": NCCL: " + text(status)
                    + " (NCCL_DEBUG=INFO in the environment lets it say more; -Dtenon.cuda.collectives=peer does"
                    + " without NCCL)");
        }
    }

    private String text(int status) {
        String name = text(status, "ncclGetErrorString", FunctionDescriptor.of(POINTER, INT));
        String last = library.has("ncclGetLastError")
                ? text(0L, "ncclGetLastError", FunctionDescriptor.of(POINTER, LONG))
                : "";
        return last.isBlank() ? name : name + ": " + last.strip();
    }

    @SuppressWarnings("restricted")
    private String text(Object argument, String function, FunctionDescriptor descriptor) {
        try {
            MemorySegment text =
                    (MemorySegment) library.function(function, descriptor).invoke(argument);
            return text.address() == 0 ? "" : text.reinterpret(MOST_TEXT).getString(0);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(function + " failed", e);
        }
    }
}
