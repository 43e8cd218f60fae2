package tenon.simulator;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Steers the simulated CUDA device of this process and asks it what it saw.
 *
 * <p>There is one device driver per process, and so one state, which all tests of the process share: a test that changes settings ends with {@link #reset()}.
 * Settings are read when something happens: the number of devices when they are counted, the orders when work runs.
 *
 * <p>What the simulated device does by itself:
 *
 * <ul>
 *   <li>Work on streams runs late: when somebody waits for it, and streams run against each other in a seeded order ({@link Streams}).
 *   <li>Memory is full of 0xFF (NaN) when it is fresh and when it was freed. Kernels may touch live memory only, each load and store is checked.
 *   <li>Kernels run their blocks and threads in a seeded order ({@link Order}); shared memory is full of NaN before each block.
 *   <li>A wrong call gets the status that the real library gives, and is written down ({@link #violations()}).
 * </ul>
 */
public final class Simulator {
    /** Which block and which thread of a block goes first. A correct kernel gives the same in all three. */
    public enum Order {
        ASCENDING,
        DESCENDING,
        SHUFFLED
    }

    /** When the queued work of streams runs. */
    public enum Streams {
        /** Seeded: sometimes no more than a wait needs, sometimes other streams first. */
        RANDOM,
        /** No more than a wait needs. */
        LAZY,
        /** At each wait, first all that other streams hold. */
        OTHERS_FIRST,
        /** At once. */
        IMMEDIATE
    }

    /** What can go wrong with one call, for tests of the tests. */
    public enum Fault {
        NONE,
        /** It does nothing and says success. */
        DROP,
        /** Two arguments of one kind change places. */
        SWAP_ARGUMENTS,
        /** It runs on a stream of its own. */
        WRONG_STREAM,
        /** It runs at once, before what was queued. Memory that is allocated so is freed early: after the next launch of a kernel. */
        EARLY,
        /** It does half of the work: half of the bytes, of the images, of a kernel's blocks. */
        HALF
    }

    private static final int SUCCESS = 0;

    private final MethodHandle reset;
    private final MethodHandle restart;
    private final MethodHandle set;
    private final MethodHandle kernelFolder;
    private final MethodHandle plan;
    private final MethodHandle mutate;
    private final MethodHandle clearPlans;
    private final MethodHandle count;
    private final MethodHandle text;
    private final MethodHandle clearViolations;
    private final MethodHandle clearCalls;

    /** Loads the driver from a folder of {@link SimulatedDevice}, unless the process has it already. */
    @SuppressWarnings("restricted") // loads a library
    public Simulator(Path folder) {
        Linker linker = Linker.nativeLinker();
        SymbolLookup library = SymbolLookup.libraryLookup(folder.resolve("libcuda.so.1"), Arena.global());
        MemoryLayout text = ValueLayout.ADDRESS;
        MemoryLayout number = ValueLayout.JAVA_LONG;
        MemoryLayout small = ValueLayout.JAVA_INT;
        reset = find(linker, library, "tenon_sim_reset", FunctionDescriptor.ofVoid());
        restart = find(linker, library, "tenon_sim_restart", FunctionDescriptor.ofVoid());
        set = find(
                linker,
                library,
                "tenon_sim_set",
                FunctionDescriptor.of(ValueLayout.JAVA_BOOLEAN, text, number, number));
        kernelFolder = find(linker, library, "tenon_sim_kernel_folder", FunctionDescriptor.ofVoid(text));
        plan = find(linker, library, "tenon_sim_plan", FunctionDescriptor.ofVoid(text, number, small, small, small));
        mutate = find(linker, library, "tenon_sim_mutate", FunctionDescriptor.ofVoid(text, text, text));
        clearPlans = find(linker, library, "tenon_sim_clear_plans", FunctionDescriptor.ofVoid());
        count = find(linker, library, "tenon_sim_count", FunctionDescriptor.of(number, text, text));
        this.text = find(linker, library, "tenon_sim_text", FunctionDescriptor.of(number, text, text, number));
        clearViolations = find(linker, library, "tenon_sim_clear_violations", FunctionDescriptor.ofVoid());
        clearCalls = find(linker, library, "tenon_sim_clear_calls", FunctionDescriptor.ofVoid());
    }

    @SuppressWarnings("restricted") // calls a library
    private static MethodHandle find(Linker linker, SymbolLookup library, String name, FunctionDescriptor descriptor) {
        return linker.downcallHandle(library.findOrThrow(name), descriptor);
    }

    /**
     * As if the process had ended and another one begun: destroys every context with all that is in it, forgets all objects of the libraries, and resets. For tests that leave
     * a broken device behind; nothing that was made before may be used, or closed, after it.
     */
    public void restart() {
        call(() -> {
            restart.invokeExact();
        });
    }

    // ---- Settings ----

    /** Back to the settings of a fresh process, and forgets calls, failures, faults and violations. What is alive stays alive. */
    public void reset() {
        call(() -> {
            reset.invokeExact();
        });
    }

    /** The number of devices, 1 to 8 (or 0: {@code cuInit} then finds none). */
    public void devices(int count) {
        if (count < 0 || count > 8) {
            throw new IllegalArgumentException("devices must be in [0, 8], not " + count);
        }
        set("devices", 0, count);
    }

    /** The memory of a device; by default 8 GiB each. */
    public void memoryLimit(int device, long bytes) {
        set("memory", device, bytes);
    }

    /** As the driver says it: 12060 is 12.6. */
    public void driverVersion(int version) {
        set("driverVersion", 0, version);
    }

    /** 90 is 9.0, the default. */
    public void computeCapability(int capability) {
        set("computeCapability", 0, capability);
    }

    /** By default 3, so that kernels with a loop over the grid go round. */
    public void multiprocessors(int count) {
        set("multiprocessors", 0, count);
    }

    /** How many loads and stores the threads of one launch may make together, after which it is taken to have no end; 2^35 by default. */
    public void accessLimit(long count) {
        set("accessLimit", 0, count);
    }

    /** Whether devices can reach each other's memory; by default they can. */
    public void peerAccess(boolean possible) {
        set("peerAccess", 0, possible ? 1 : 0);
    }

    /** How long a stream or a communicator waits for another thread's part of a joint operation; then it is a violation. By default 20 s. */
    public void patience(long milliseconds) {
        set("patience", 0, milliseconds);
    }

    public void order(Order order) {
        set("kernelOrder", 0, order.ordinal());
    }

    public void streams(Streams order) {
        set("streamOrder", 0, order.ordinal());
    }

    /** For the shuffled orders of kernels and streams. */
    public void seed(long seed) {
        set("seed", 0, seed);
    }

    /** Where kernels are kept that were compiled for the host; by default in the folder of the libraries. The folder must exist. */
    public void kernelFolder(Path folder) {
        withText(folder.toString(), argument -> {
            kernelFolder.invokeExact(argument);
        });
    }

    // ---- Failures and faults ----

    /**
     * The n-th call from now on (1 is the next one) fails with a status of its library.
     *
     * @param call the name without {@code _v2}, say {@code cuMemAlloc}; or {@code "kernel NAME"} for launches of one kernel
     */
    public void failAt(String call, long n, int status) {
        if (status == SUCCESS) {
            throw new IllegalArgumentException("status 0 is success");
        }
        withText(call, name -> {
            plan.invokeExact(name, n, 1, status, 0);
        });
    }

    /** The n-th call from now on is faulty; see {@link #failAt} for the name. Where a kind of fault does not fit the call, nothing happens. */
    public void fault(String call, long n, Fault fault) {
        withText(call, name -> {
            plan.invokeExact(name, n, 0, SUCCESS, fault.ordinal());
        });
    }

    /**
     * Changes a kernel's source, from now on, whenever NVRTC is given it: the first place where a text stands becomes another text. A file without that text is
     * a violation. Programs that keep compiled kernels do not give it again.
     *
     * @param file the program's name as NVRTC is told it
     */
    public void mutate(String file, String from, String to) {
        withText(
                file,
                name -> withText(
                        from,
                        before -> withText(to, after -> {
                            mutate.invokeExact(name, before, after);
                        })));
    }

    /** Forgets failures, faults and changes of kernels that have not happened yet. */
    public void clearPlans() {
        call(() -> {
            clearPlans.invokeExact();
        });
    }

    /** How many failures, faults and changes of kernels have happened. */
    public long fired() {
        return count("fired", "");
    }

    // ---- What it saw ----

    /** What a correct program never does, in the order in which it was seen; at most a thousand. */
    public List<String> violations() {
        return lines("violations");
    }

    public void clearViolations() {
        call(() -> {
            clearViolations.invokeExact();
        });
    }

    /** How often the call was made; see {@link #failAt} for the name. */
    public long calls(String name) {
        return count("calls", name);
    }

    /** All calls by name. */
    public Map<String, Long> calls() {
        return counts("calls");
    }

    /** Counts calls anew; forgets failures and faults, too. */
    public void clearCalls() {
        call(() -> {
            clearCalls.invokeExact();
        });
    }

    /**
     * How many objects of a kind are alive: context, stream, event, module, graph, graphExec, deviceMemory, hostMemory (pinned), and those of the libraries, say
     * cudnnHandle.
     */
    public long live(String kind) {
        return count("live", kind);
    }

    /** All kinds of which something is alive. After a back-end was closed, this is what it leaked. */
    public Map<String, Long> live() {
        return counts("live");
    }

    /** Bytes of device memory that are allocated. */
    public long memoryUsed(int device) {
        return count("memoryUsed", Integer.toString(device));
    }

    // ---- Calls ----

    private void set(String name, long index, long value) {
        boolean[] known = new boolean[1];
        withText(name, argument -> known[0] = (boolean) set.invokeExact(argument, index, value));
        if (!known[0]) {
            throw new IllegalStateException("the simulated driver has no setting " + name);
        }
    }

    private long count(String what, String name) {
        long[] result = new long[1];
        withText(
                what, question -> withText(name, argument -> result[0] = (long) count.invokeExact(question, argument)));
        return result[0];
    }

    private Map<String, Long> counts(String what) {
        Map<String, Long> counts = new TreeMap<>();
        for (String line : lines(what)) {
            int tab = line.indexOf('\t');
            counts.put(line.substring(0, tab), Long.valueOf(line.substring(tab + 1)));
        }
        return counts;
    }

    private List<String> lines(String what) {
        String[] result = new String[1];
        withText(what, question -> {
            for (long capacity = 4096; ; capacity *= 4) {
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment buffer = arena.allocate(capacity);
                    long bytes = (long) text.invokeExact(question, buffer, capacity);
                    if (bytes <= capacity) {
                        result[0] = new String(
                                buffer.asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
                        return;
                    }
                }
            }
        });
        return result[0].lines().toList();
    }

    private interface Call {
        void run() throws Throwable;
    }

    private interface TextCall {
        void run(MemorySegment text) throws Throwable;
    }

    private static void withText(String text, TextCall call) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocateFrom(text);
            call(() -> call.run(argument));
        }
    }

    private static void call(Call call) {
        try {
            call.run();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
