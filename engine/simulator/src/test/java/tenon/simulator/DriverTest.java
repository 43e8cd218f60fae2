package tenon.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import tenon.simulator.Simulator.Fault;

/** Wrong calls get the status of a real driver and are written down; memory, devices, failures and faults are as a test asks for. */
class DriverTest {
    private static final int NOT_INITIALIZED = 3;
    private static final int INVALID_DEVICE = 101;
    private static final int INVALID_IMAGE = 200;
    private static final int INVALID_CONTEXT = 201;
    private static final int INVALID_HANDLE = 400;
    private static final int NOT_FOUND = 500;
    private static final int CONTEXT_IS_DESTROYED = 709;
    private static final int NOT_SUPPORTED = 801;

    @AutoClose
    private final Cuda cuda = Cuda.withContext();

    private void assertWrong(int status, int expected, String message) {
        assertThat(status).isEqualTo(expected);
        assertThat(cuda.simulator.violations()).singleElement().asString().contains(message);
        cuda.simulator.clearViolations();
    }

    // ---- Memory ----

    @Test
    void freshMemoryIsNotANumber() {
        long x = cuda.allocate(400);
        assertThat(cuda.download(x, 100)).containsOnly(Float.NaN);
        assertThat(cuda.simulator.violations()).isEmpty();
    }

    @Test
    void copiesAndFillsStayInsideOneAllocation() {
        long x = cuda.allocate(400);
        long y = cuda.allocate(400);
        MemorySegment host = cuda.host(new float[200]);
        assertWrong(cuda.call("cuMemcpyHtoD_v2", x, host, 404L), Cuda.INVALID_VALUE, "behind its end");
        assertWrong(cuda.call("cuMemcpyHtoD_v2", x - 4, host, 4L), Cuda.INVALID_VALUE, "4 bytes before allocation");
        assertWrong(cuda.call("cuMemcpyDtoH_v2", host, x + 400, 4L), Cuda.INVALID_VALUE, "0 bytes behind the end");
        assertWrong(cuda.call("cuMemcpyDtoDAsync_v2", x, y + 8, 396L, 0L), Cuda.INVALID_VALUE, "behind its end");
        assertWrong(cuda.call("cuMemsetD32Async", x, 0, 101L, 0L), Cuda.INVALID_VALUE, "behind its end");
        assertWrong(cuda.call("cuMemsetD32Async", x + 2, 0, 1L, 0L), Cuda.INVALID_VALUE, "multiple of 4");
        assertWrong(
                cuda.call("cuMemsetD8_v2", 4096L, (int) (byte) 0, 1L), Cuda.INVALID_VALUE, "no memory of any device");
    }

    @Test
    void hostAndDeviceMemoryAreNotMixedUp() {
        long x = cuda.allocate(400);
        MemorySegment pinned = cuda.pinned(100);
        MemorySegment pageable = cuda.host(new float[100]);
        assertWrong(cuda.call("cuMemcpyHtoD_v2", x, x, 4L), Cuda.INVALID_VALUE, "device memory given as host memory");
        assertWrong(
                cuda.call("cuMemcpyDtoH_v2", pageable, pinned, 4L),
                Cuda.INVALID_VALUE,
                "host memory given as device memory");
        assertWrong(
                cuda.call("cuMemcpyDtoH_v2", pageable, pageable, 4L), Cuda.INVALID_VALUE, "no memory of any device");
        assertWrong(cuda.call("cuMemFree_v2", pinned), Cuda.INVALID_VALUE, "host memory");
        assertWrong(cuda.call("cuMemFreeHost", x), Cuda.INVALID_VALUE, "allocation");
    }

    @Test
    void memoryIsFreedOnceAndNotUsedAfter() {
        long x = cuda.allocate(400);
        cuda.check("cuMemFree_v2", x);
        assertWrong(cuda.call("cuMemFree_v2", x), Cuda.INVALID_VALUE, "memory that was freed");
        assertWrong(cuda.call("cuMemsetD32_v2", x, 0, 1L), Cuda.INVALID_VALUE, "memory that was freed");
        long y = cuda.allocate(400);
        assertWrong(cuda.call("cuMemFree_v2", y + 256), Cuda.INVALID_VALUE, "byte 256 of allocation");
    }

    @Test
    void writingBesideMemoryIsSeen() {
        long x = cuda.allocate(100);
        long freed = cuda.allocate(100);
        cuda.check("cuMemFree_v2", freed);
        assertThat(cuda.simulator.violations()).isEmpty();
        // As a library might that has its own idea of sizes.
        Cuda.memory(x + 100, 1).set(ValueLayout.JAVA_BYTE, 0, (byte) 0);
        Cuda.memory(freed + 99, 1).set(ValueLayout.JAVA_BYTE, 0, (byte) 0);
        assertThat(cuda.simulator.violations())
                .satisfiesExactly(
                        beside -> assertThat(beside).contains("of 100 bytes").contains("beside"),
                        late -> assertThat(late).contains("of 100 bytes").contains("after it was freed"));
    }

    @Test
    void aDeviceHasSoMuchMemoryAndNoMore() {
        cuda.simulator.memoryLimit(0, 1000);
        long x = cuda.allocate(600);
        MemorySegment place = cuda.arena.allocate(8);
        assertThat(cuda.call("cuMemAlloc_v2", place, 600L)).isEqualTo(Cuda.OUT_OF_MEMORY);
        MemorySegment free = cuda.arena.allocate(8);
        MemorySegment total = cuda.arena.allocate(8);
        cuda.check("cuMemGetInfo_v2", free, total);
        assertThat(free.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(400);
        assertThat(total.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(1000);
        assertThat(cuda.simulator.memoryUsed(0)).isEqualTo(600);
        cuda.check("cuMemFree_v2", x);
        cuda.allocate(1000);
        assertThat(cuda.simulator.violations()).isEmpty();
    }

    // ---- Contexts and handles ----

    @Test
    void handlesAreKnown() {
        MemorySegment place = cuda.arena.allocate(8);
        assertWrong(cuda.call("cuStreamSynchronize", 12345L), INVALID_HANDLE, "no live stream");
        assertWrong(cuda.call("cuEventRecord", 12345L, 0L), INVALID_HANDLE, "no live event");
        assertWrong(
                cuda.call("cuModuleGetFunction", place, 12345L, cuda.arena.allocateFrom("f")),
                INVALID_HANDLE,
                "no live module");
        assertWrong(cuda.launch(12345L, 1, 1, 0), INVALID_HANDLE, "no live function");
        assertWrong(cuda.call("cuGraphLaunch", 12345L, 0L), Cuda.INVALID_VALUE, "no live executable graph");
        assertWrong(cuda.call("cuCtxSetCurrent", 12345L), INVALID_CONTEXT, "no live context");
        assertWrong(cuda.call("cuDeviceGet", place, 1), INVALID_DEVICE, "device 1 of 1");
        assertWrong(cuda.call("cuModuleLoadData", place, cuda.host(new float[100])), INVALID_IMAGE, "no image");
        long stream = cuda.stream();
        cuda.check("cuStreamDestroy_v2", stream);
        assertWrong(cuda.call("cuStreamDestroy_v2", stream), INVALID_HANDLE, "no live stream");
    }

    @Test
    void aKernelMustBeThere() {
        long module = cuda.module("TENON_KERNEL(one, int n) { }");
        MemorySegment place = cuda.arena.allocate(8);
        assertWrong(
                cuda.call("cuModuleGetFunction", place, module, cuda.arena.allocateFrom("two")),
                NOT_FOUND,
                "no kernel two");
    }

    @Test
    void aThreadNeedsAContext() throws InterruptedException {
        int[] status = new int[1];
        Thread thread = new Thread(() -> status[0] = cuda.call("cuCtxSynchronize"));
        thread.start();
        thread.join();
        assertWrong(status[0], INVALID_CONTEXT, "no context is current on this thread");
    }

    @Test
    void objectsBelongToOneContext() {
        cuda.simulator.devices(2);
        long stream = cuda.stream();
        long event = cuda.event();
        long kernel = cuda.kernel("TENON_KERNEL(k, int n) { }", "k");
        cuda.context(1);
        assertWrong(cuda.call("cuStreamSynchronize", stream), INVALID_HANDLE, "of the current context");
        assertWrong(cuda.call("cuEventRecord", event, 0L), INVALID_HANDLE, "different contexts");
        assertWrong(cuda.launch(kernel, 1, 1, 0, 1), INVALID_HANDLE, "another context");
    }

    @Test
    void aDestroyedContextIsOfNoUse() {
        long context = cuda.context(0);
        cuda.check("cuCtxPushCurrent_v2", context);
        cuda.check("cuCtxDestroy_v2", context);
        assertWrong(cuda.call("cuCtxSynchronize"), CONTEXT_IS_DESTROYED, "was destroyed");
        assertWrong(cuda.call("cuCtxDestroy_v2", context), INVALID_CONTEXT, "no live context");
    }

    @Test
    void primaryContextsAreCounted() {
        long context = cuda.make("cuDevicePrimaryCtxRetain", 0);
        assertThat(cuda.make("cuDevicePrimaryCtxRetain", 0)).isEqualTo(context);
        assertThat(cuda.simulator.live("context")).isEqualTo(2);
        cuda.check("cuDevicePrimaryCtxRelease_v2", 0);
        cuda.check("cuDevicePrimaryCtxRelease_v2", 0);
        assertThat(cuda.simulator.live("context")).isEqualTo(1);
        assertWrong(cuda.call("cuDevicePrimaryCtxRelease_v2", 0), INVALID_CONTEXT, "more releases than retains");
    }

    @Test
    void theMemoryOfAnotherDeviceNeedsPeerAccess() {
        cuda.simulator.devices(2);
        cuda.simulator.streams(Simulator.Streams.IMMEDIATE);
        long first = cuda.upload(1, 2, 3);
        long firstContext = cuda.make("cuCtxGetCurrent");
        String source = "TENON_KERNEL(twice, float *x) { x[threadIdx.x] *= 2; }";
        long second = cuda.context(1);
        long y = cuda.upload(0, 0, 0);
        cuda.check("cuMemcpyPeerAsync", y, second, first, firstContext, 12L, 0L);
        assertThat(cuda.download(y, 3)).containsExactly(1, 2, 3);
        assertWrong(
                cuda.call("cuMemsetD32Async", first, 0, 1L, 0L),
                Cuda.INVALID_VALUE,
                "on another device without peer access");
        cuda.check("cuCtxEnablePeerAccess", firstContext, 0);
        assertThat(cuda.run(cuda.kernel(source, "twice"), 1, 3, first)).isEqualTo(Cuda.SUCCESS);
        assertThat(cuda.download(first, 3)).containsExactly(2, 4, 6);
        assertThat(cuda.simulator.violations()).isEmpty();
    }

    @Test
    void whatIsNotSimulatedSaysSo() {
        assertWrong(cuda.call("cuTexRefCreate"), NOT_SUPPORTED, "cuTexRefCreate: not simulated");
    }

    @Test
    void aHostFunctionMustNotCallTheDriver() {
        // The driver's own function as the host function of a stream: cuCtxSynchronize ignores the argument.
        MemorySegment function = cuda.address("cuCtxSynchronize");
        cuda.check("cuLaunchHostFunc", 0L, function, null);
        cuda.call("cuCtxSynchronize");
        assertThat(cuda.simulator.violations()).singleElement().asString().contains("called from a host function");
    }

    // ---- What tests ask for ----

    @Test
    void theNthCallFails() {
        cuda.simulator.failAt("cuMemAlloc", 2, Cuda.OUT_OF_MEMORY);
        cuda.allocate(4);
        MemorySegment place = cuda.arena.allocate(8);
        assertThat(cuda.call("cuMemAlloc_v2", place, 4L)).isEqualTo(Cuda.OUT_OF_MEMORY);
        cuda.allocate(4);
        assertThat(cuda.simulator.fired()).isEqualTo(1);
        assertThat(cuda.simulator.calls("cuMemAlloc")).isEqualTo(3);
    }

    @Test
    void launchesOfOneKernelFail() {
        long kernel = cuda.kernel("TENON_KERNEL(k, int n) { }", "k");
        cuda.simulator.failAt("kernel k", 1, NOT_INITIALIZED);
        assertThat(cuda.launch(kernel, 1, 1, 0, 1)).isEqualTo(NOT_INITIALIZED);
        assertThat(cuda.launch(kernel, 1, 1, 0, 1)).isEqualTo(Cuda.SUCCESS);
    }

    @Test
    void faultsChangeWhatACallDoes() {
        long x = cuda.upload(1, 2);
        long y = cuda.upload(3, 4);
        cuda.simulator.fault("cuMemcpyDtoDAsync", 1, Fault.DROP);
        cuda.check("cuMemcpyDtoDAsync_v2", x, y, 8L, 0L);
        assertThat(cuda.download(x, 2)).containsExactly(1, 2);
        cuda.simulator.fault("cuMemcpyDtoDAsync", 1, Fault.HALF);
        cuda.check("cuMemcpyDtoDAsync_v2", x, y, 8L, 0L);
        assertThat(cuda.download(x, 2)).containsExactly(3, 2);
        cuda.simulator.fault("cuMemcpyDtoDAsync", 1, Fault.SWAP_ARGUMENTS);
        cuda.check("cuMemcpyDtoDAsync_v2", x, y, 8L, 0L);
        assertThat(cuda.download(y, 2)).containsExactly(3, 2);

        cuda.simulator.streams(Simulator.Streams.LAZY);
        long stream = cuda.stream();
        cuda.check("cuMemsetD32Async", x, Float.floatToIntBits(5), 2L, stream);
        cuda.simulator.fault("cuMemsetD32Async", 1, Fault.EARLY);
        cuda.check("cuMemsetD32Async", x, Float.floatToIntBits(6), 2L, stream);
        assertThat(cuda.download(x, 2)).containsExactly(5, 5);
        cuda.simulator.fault("cuMemsetD32Async", 1, Fault.WRONG_STREAM);
        cuda.check("cuMemsetD32Async", x, Float.floatToIntBits(7), 2L, stream);
        cuda.check("cuStreamSynchronize", stream);
        MemorySegment host = cuda.host(0, 0);
        cuda.check("cuMemcpyDtoH_v2", host, x, 8L);
        assertThat(host.getAtIndex(ValueLayout.JAVA_FLOAT, 0)).isEqualTo(5);
        assertThat(cuda.download(x, 2)).containsExactly(7, 7);
        assertThat(cuda.simulator.fired()).isEqualTo(5);
    }

    @Test
    void halfOfAKernelIsHalfOfItsBlocks() {
        long kernel = cuda.kernel("TENON_KERNEL(one, float *x) { x[blockIdx.x] = 1; }", "one");
        long x = cuda.upload(new float[10]);
        cuda.simulator.fault("kernel one", 1, Fault.HALF);
        assertThat(cuda.run(kernel, 10, 1, x)).isEqualTo(Cuda.SUCCESS);
        float sum = 0;
        for (float value : cuda.download(x, 10)) {
            sum += value;
        }
        assertThat(sum).isEqualTo(5);
    }

    @Test
    void memoryThatIsFreedEarlyIsMissed() {
        long kernel = cuda.kernel("TENON_KERNEL(one, float *x) { x[blockIdx.x] = 1; }", "one");
        cuda.simulator.streams(Simulator.Streams.LAZY);
        cuda.simulator.fault("cuMemAlloc", 1, Fault.EARLY);
        long x = cuda.allocate(40);
        assertThat(cuda.run(kernel, 10, 1, x)).isEqualTo(700);
        assertThat(cuda.simulator.violations()).singleElement().asString().contains("memory that was freed");
    }

    @Test
    void kernelsAreChangedInTheirSource() {
        String source = "TENON_KERNEL(two, float *x) { x[0] = 2 + 1; }";
        cuda.simulator.mutate("test.cu", " + 1", "");
        long x = cuda.upload(0);
        assertThat(cuda.run(cuda.kernel(source, "two"), 1, 1, x)).isEqualTo(Cuda.SUCCESS);
        assertThat(cuda.download(x, 1)).containsExactly(2);
        assertThat(cuda.simulator.fired()).isEqualTo(1);
        cuda.simulator.clearPlans();
        assertThat(cuda.run(cuda.kernel(source, "two"), 1, 1, x)).isEqualTo(Cuda.SUCCESS);
        assertThat(cuda.download(x, 1)).containsExactly(3);
        cuda.simulator.mutate("test.cu", "nowhere", "");
        cuda.kernel(source, "two");
        assertThat(cuda.simulator.violations()).singleElement().asString().contains("nothing to change");
    }

    @Test
    void leaksAreCounted() {
        long x = cuda.allocate(4);
        cuda.pinned(1);
        long stream = cuda.stream();
        cuda.event();
        cuda.module("TENON_KERNEL(k, int n) { }");
        assertThat(cuda.simulator.live())
                .containsEntry("context", 1L)
                .containsEntry("deviceMemory", 1L)
                .containsEntry("hostMemory", 1L)
                .containsEntry("stream", 1L)
                .containsEntry("event", 1L)
                .containsEntry("module", 1L);
        cuda.check("cuMemFree_v2", x);
        cuda.check("cuStreamDestroy_v2", stream);
        assertThat(cuda.simulator.live("deviceMemory") + cuda.simulator.live("stream"))
                .isZero();
    }

    @Test
    void aRestartLeavesNothing() {
        cuda.make("cuDevicePrimaryCtxRetain", 0);
        cuda.allocate(100);
        cuda.check("cuMemsetD8Async", cuda.allocate(4), 0, 4L, cuda.stream());
        cuda.simulator.restart();
        assertThat(cuda.simulator.live()).isEmpty();
        assertThat(cuda.simulator.memoryUsed(0)).isZero();
        assertThat(cuda.simulator.violations()).isEmpty();
        cuda.context(0);
        assertThat(cuda.download(cuda.upload(1), 1)).containsExactly(1);
    }

    @Test
    void aDeviceIsWhatATestSays() {
        cuda.simulator.devices(3);
        cuda.simulator.driverVersion(13000);
        cuda.simulator.computeCapability(75);
        cuda.simulator.multiprocessors(7);
        assertThat((int) cuda.make("cuDeviceGetCount")).isEqualTo(3);
        assertThat((int) cuda.make("cuDriverGetVersion")).isEqualTo(13000);
        assertThat((int) cuda.make("cuDeviceGetAttribute", 75, 2)).isEqualTo(7);
        assertThat((int) cuda.make("cuDeviceGetAttribute", 76, 2)).isEqualTo(5);
        assertThat((int) cuda.make("cuDeviceGetAttribute", 16, 2)).isEqualTo(7);
        MemorySegment name = cuda.arena.allocate(100);
        cuda.check("cuDeviceGetName", name, 100, 2);
        assertThat(name.getString(0)).isEqualTo("Simulated device 2");
        assertThatThrownBy(() -> cuda.simulator.devices(9)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void foldersLackWhatTheyAreSaidToLack() {
        assertThat(Files.exists(SimulatedDevice.folder().resolve("libnvrtc.so.12")))
                .isTrue();
        assertThat(Files.exists(SimulatedDevice.cuda13().resolve("libnvrtc.so.12")))
                .isFalse();
        assertThat(Files.exists(SimulatedDevice.cuda13().resolve("libnvrtc.so.13")))
                .isTrue();
        assertThat(Files.exists(SimulatedDevice.without("libcuda").resolve("libcuda.so.1")))
                .isFalse();
        assertThat(Files.exists(SimulatedDevice.without("libcuda").resolve("libnvrtc.so.12")))
                .isTrue();
    }
}
