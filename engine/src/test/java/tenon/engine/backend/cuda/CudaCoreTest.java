package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import jcuda.CudaException;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import tenon.engine.ClosedException;
import tenon.engine.Context;
import tenon.engine.DType;
import tenon.engine.Device;
import tenon.engine.DeviceException;
import tenon.engine.OutOfMemoryException;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.OpKind;
import tenon.engine.testing.CleanDevice;
import tenon.engine.testing.CudaTesting;
import tenon.simulator.Simulator;

/** Memory, copies, kernels, streams and errors of the CUDA back-end. */
@ExtendWith(CleanDevice.class)
class CudaCoreTest {
    private static final int ILLEGAL_ADDRESS = 700;
    private static final int OUT_OF_MEMORY = 2;

    private final Simulator simulator = CudaTesting.simulator();

    @Test
    void copiesThereAndBack() {
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("test", backend)) {
            assertThat(backend.name()).isEqualTo("cuda:0");
            assertThat(backend.device()).isEqualTo(new Device.Cuda(0));
            Tensor small = Tensor.of(new float[] {1, 2, 3}, 3);
            assertThat(small.toFloatArray()).containsExactly(1, 2, 3);
            float[] large = new float[3_000_001];
            for (int i = 0; i < large.length; i++) {
                large[i] = i;
            }
            Tensor big = Tensor.of(large, large.length);
            assertThat(big.toFloatArray()).isEqualTo(large);
            Tensor copy = Tensor.empty(big.shape(), DType.F32);
            copy.copyFrom(big);
            assertThat(copy.toFloatArray()).isEqualTo(large);
            assertThat(Tensor.empty(Shape.of(0, 3), DType.F32).toFloatArray()).isEmpty();
        }
    }

    @Test
    void uploadsFromNativeMemoryMayBeOverwrittenAtOnce() {
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("test", backend);
                Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate(4 << 10, 64);
            Tensor[] tensors = new Tensor[20];
            for (int i = 0; i < tensors.length; i++) {
                host.fill((byte) i);
                tensors[i] = Tensor.empty(Shape.of(1 << 10), DType.I32);
                tensors[i].upload(host);
            }
            for (int i = 0; i < tensors.length; i++) {
                assertThat(tensors[i].toIntArray()).containsOnly(i * 0x01010101);
            }
        }
    }

    @Test
    void aBadCallThrows() {
        try (CudaBackend backend = CudaTesting.open()) {
            backend.enter();
            // Nobody looks at the status of this call: JCuda itself must throw.
            assertThatThrownBy(() -> JCudaDriver.cuMemFree(Pointers.at(12345)))
                    .isInstanceOf(CudaException.class)
                    .hasMessage("CUDA_ERROR_INVALID_VALUE");
            assertThatThrownBy(() -> Driver.run("cuMemFree", () -> JCudaDriver.cuMemFree(Pointers.at(12345))))
                    .isInstanceOf(DeviceException.class)
                    .hasMessage("cuMemFree: CUDA_ERROR_INVALID_VALUE");
        }
        assertThat(simulator.violations()).isNotEmpty();
        simulator.clearViolations();
    }

    @Test
    void thereIsNoSuchDevice() {
        assertThatThrownBy(() -> CudaBackend.open(CudaTesting.options().withDevice(3)))
                .isInstanceOf(DeviceException.class)
                .hasMessageStartingWith("cuda:3: the machine has ")
                .hasMessageEndingWith("that the driver sees, numbered from 0 (./tenon doctor lists them)");
    }

    @Test
    void severalDevicesSideBySide() {
        simulator.devices(2);
        try (CudaBackend first = CudaTesting.open(CudaTesting.options().withDevice(0));
                CudaBackend second = CudaTesting.open(CudaTesting.options().withDevice(1));
                CudaBackend again = CudaTesting.open(CudaTesting.options().withDevice(1))) {
            float[][] values = {{1, 2}, {3, 4}, {5, 6}};
            CudaBackend[] backends = {first, second, again};
            Tensor[] tensors = new Tensor[3];
            try (Scope outer = Scope.open("all", first)) {
                for (int i = 0; i < 3; i++) {
                    tensors[i] = Tensor.empty(backends[i], Shape.of(2), DType.F32);
                    tensors[i].upload(values[i]);
                }
                for (int i = 0; i < 3; i++) {
                    assertThat(tensors[i].toFloatArray()).isEqualTo(values[i]);
                }
                assertThat(simulator.memoryUsed(0)).isPositive();
                assertThat(simulator.memoryUsed(1)).isPositive();
                assertThat(outer).isNotNull();
            }
        }
        assertThat(simulator.memoryUsed(0)).isZero();
        assertThat(simulator.memoryUsed(1)).isZero();
    }

    @Test
    void tensorsMayOutliveTheirBackend() {
        CudaBackend backend = CudaTesting.open();
        try (Scope _ = Scope.open("outer", backend)) {
            Tensor.of(new float[] {1}, 1);
            backend.close();
            backend.close();
            assertThatThrownBy(() -> Tensor.of(new float[] {1}, 1)).isInstanceOf(DeviceException.class);
        }
    }

    // ---- memory ----

    @Test
    void outOfMemoryNamesEverything() {
        simulator.memoryLimit(0, 64L << 20);
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("test", backend)) {
            Tensor.empty(Shape.of(1 << 20), DType.F32);
            Tensor.empty(Shape.of(1 << 21), DType.F32).close();
            assertThatThrownBy(() -> Tensor.empty(Shape.of(1 << 26), DType.F32))
                    .isInstanceOf(OutOfMemoryException.class)
                    .hasMessageStartingWith("allocate: out of memory on cuda:0: wanted=268435456 bytes, live=")
                    .hasMessageContaining(", cached=0, limit=none, free on the device=")
                    .hasMessageContaining(" of 67108864, limit of the back-end=none")
                    .hasMessageEndingWith("or raise the limit with -Dtenon.cuda.memory.limit=BYTES)");
            Context.get().setPath("block1.conv");
            try {
                assertThatThrownBy(() -> Tensor.empty(Shape.of(1 << 26), DType.F32))
                        .hasMessageStartingWith("allocate 'block1.conv': out of memory on cuda:0");
            } finally {
                Context.get().setPath("");
            }
            assertThat(Tensor.of(new float[] {7}, 1).item()).isEqualTo(7);
        }
    }

    @Test
    void theLimitCountsWhatIsCached() {
        try (CudaBackend backend = CudaTesting.open(CudaTesting.options().withMemoryLimit(4 << 20));
                Scope _ = Scope.open("test", backend)) {
            Tensor.empty(Shape.of(1 << 19), DType.F32).close();
            Tensor.empty(Shape.of(3 << 18), DType.F32);
            assertThat(simulator.memoryUsed(0)).isLessThanOrEqualTo(4 << 20);
            assertThatThrownBy(() -> Tensor.empty(Shape.of(1 << 19), DType.F32))
                    .isInstanceOf(OutOfMemoryException.class)
                    .hasMessageContaining("limit of the back-end=4194304");
        }
    }

    @Test
    void anErrorOfTheDriverIsNotTakenForLackOfMemory() {
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("test", backend)) {
            simulator.failAt("cuMemAlloc", 1, 999);
            assertThatThrownBy(() -> Tensor.empty(Shape.of(1 << 20), DType.F32))
                    .isInstanceOf(DeviceException.class)
                    .hasMessageStartingWith("cuMemAlloc: CUDA_ERROR_UNKNOWN (the driver did not start");
        }
    }

    @Test
    void openingFailsWhole() {
        Map<String, Long> liveBefore = simulator.live();
        for (String call : List.of(
                "cuDevicePrimaryCtxRetain",
                "cuStreamCreate",
                "cuMemAlloc",
                "cuMemHostAlloc",
                "cuEventCreate",
                "cuMemsetD8Async")) {
            simulator.failAt(call, 1, OUT_OF_MEMORY);
            assertThatThrownBy(CudaTesting::open)
                    .as(call)
                    .isInstanceOfAny(DeviceException.class, OutOfMemoryException.class);
            CudaTesting.assertClean(liveBefore);
        }
    }

    // ---- kernels ----

    @Test
    void compilesOnceAndKeepsTheResult(@TempDir Path cache) throws Exception {
        for (int run = 0; run < 2; run++) {
            try (CudaBackend backend = CudaTesting.open(CudaTesting.options().withCache(cache))) {
                assertThat(backend.kernels.get("capture", "guard_finite"))
                        .isSameAs(backend.kernels.get("capture", "guard_finite"));
                assertThat(backend.kernels.compiled()).isEqualTo(run == 0 ? 1 : 0);
                assertThat(backend.kernels.loaded()).isOne();
            }
        }
        assertThat(files(cache))
                .singleElement()
                .asString()
                .startsWith("capture.cu-sm_90-")
                .endsWith(".bin");
        try (CudaBackend fast =
                CudaTesting.open(CudaTesting.options().withCache(cache).withFastMath(true))) {
            fast.kernels.get("capture", "guard_finite");
            assertThat(fast.kernels.compiled()).as("the other build").isOne();
        }
        assertThat(files(cache)).hasSize(2);
    }

    @Test
    void aDamagedFileIsCompiledAgain(@TempDir Path cache) throws Exception {
        try (CudaBackend backend = CudaTesting.open(CudaTesting.options().withCache(cache))) {
            backend.kernels.get("capture", "guard_finite");
        }
        Path file = cache.resolve(files(cache).getFirst());
        Files.write(file, new byte[] {1, 2, 3});
        try (CudaBackend backend = CudaTesting.open(CudaTesting.options().withCache(cache))) {
            backend.kernels.get("capture", "guard_finite");
            assertThat(backend.kernels.compiled()).isOne();
        }
        assertThat(Files.size(file)).isGreaterThan(3);
        simulator.clearViolations();
    }

    @Test
    void kernelsForAnotherGpuAreRefused(@TempDir Path cache) {
        try (CudaBackend backend = CudaTesting.open(CudaTesting.options().withCache(cache))) {
            simulator.failAt("cuModuleLoadData", 1, 209);
            assertThatThrownBy(() -> backend.kernels.get("capture", "guard_finite"))
                    .isInstanceOf(DeviceException.class)
                    .hasMessageStartingWith(
                            "cuModuleLoadData capture.cu: CUDA_ERROR_NO_BINARY_FOR_GPU (the kernels were"
                                    + " compiled for another GPU; NVRTC may be too old");
        }
    }

    @Test
    void gpusThatTheCompilerDoesNotKnow() {
        CudaTesting.open().close();
        Nvrtc nvrtc = new Nvrtc();
        assertThat(nvrtc.architecture(90)).isEqualTo("sm_90");
        assertThat(nvrtc.architecture(999))
                .as("newer: translated by the driver")
                .matches("compute_\\d+");
        assertThatThrownBy(() -> nvrtc.architecture(20))
                .isInstanceOf(DeviceException.class)
                .hasMessageMatching(
                        "cuda: NVRTC 1\\d\\.\\d+ compiles for GPUs of compute capability \\d\\.\\d and newer, and this"
                                + " one has 2\\.0 \\(install an older release of CUDA, or use --device cpu\\)");
    }

    @Test
    void aFolderThatCannotBeWrittenIsNoObstacle(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "");
        try (CudaBackend backend = CudaTesting.open(CudaTesting.options().withCache(file.resolve("below")))) {
            assertThat(backend.kernels.get("capture", "guard_finite").name()).isEqualTo("capture.guard_finite");
        }
    }

    private static List<String> files(Path folder) throws Exception {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void saysWhatDoesNotCompile() {
        try (CudaBackend backend = CudaTesting.open()) {
            assertThat(backend).isNotNull();
            Nvrtc nvrtc = new Nvrtc();
            assertThatThrownBy(() -> nvrtc.compile("broken.cu", "int x = ;", "sm_90", List.of()))
                    .isInstanceOf(DeviceException.class)
                    .hasMessageStartingWith("cuda: broken.cu does not compile with NVRTC ")
                    .hasMessageContaining("error");
        }
    }

    @Test
    void unknownKernelsAndFiles() {
        try (CudaBackend backend = CudaTesting.open()) {
            assertThatThrownBy(() -> backend.kernels.get("capture", "no_such"))
                    .isInstanceOf(DeviceException.class)
                    .hasMessageStartingWith("cuModuleGetFunction capture.no_such: CUDA_ERROR_NOT_FOUND");
            assertThatThrownBy(() -> backend.kernels.get("no_such", "kernel"))
                    .isInstanceOf(DeviceException.class)
                    .hasMessage("cuda: there is no kernel file no_such.cu");
        }
        simulator.clearViolations();
    }

    @Test
    void aLaunchThatFailsNamesTheKernel() {
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("test", backend)) {
            Tensor loss = Tensor.of(new float[] {1}, 1);
            Kernel kernel = backend.kernels.get("capture", "guard_finite");
            simulator.failAt("kernel guard_finite", 1, ILLEGAL_ADDRESS);
            assertThatThrownBy(() -> {
                        backend.launch(kernel)
                                .address(loss.address())
                                .address(backend.scalars.problem())
                                .elements(1);
                        backend.synchronize();
                    })
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("CUDA_ERROR_ILLEGAL_ADDRESS (an earlier kernel went out of bounds");
        }
    }

    @Test
    void everyKindOfArgumentArrives() {
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("test", backend)) {
            Tensor out = Tensor.empty(Shape.of(4), DType.F64);
            Kernel kernel = backend.kernels.get("core_test", "every_kind");
            backend.launch(kernel)
                    .int32(-7)
                    .float32(1.5f)
                    .int64(1L << 40)
                    .float64(-0.25)
                    .address(out.address())
                    .elements(1);
            assertThat(out.toDoubleArray()).containsExactly(-7, 1.5, 1L << 40, -0.25);
        }
    }

    @Test
    void launchesMakeNoGarbage() {
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("test", backend)) {
            Tensor x = Tensor.of(new float[] {1, 2}, 2);
            Kernel kernel = backend.kernels.get("core_test", "affine");
            var thread = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
            long before = 0;
            for (int i = 0; i < 300; i++) {
                if (i == 200) {
                    backend.synchronize();
                    before = thread.getCurrentThreadAllocatedBytes();
                }
                backend.launch(kernel)
                        .address(x.address())
                        .float32(1)
                        .float32(0)
                        .address(x.address())
                        .int64(2)
                        .elements(2);
            }
            assertThat(thread.getCurrentThreadAllocatedBytes() - before).isLessThan(100 * 100);
            assertThat(x.toFloatArray()).containsExactly(1, 2);
        }
    }

    @Test
    void modulesGetTheMemoryThatLiesIdle() {
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("test", backend)) {
            Tensor.empty(Shape.of(1 << 20), DType.F32).close();
            simulator.failAt("cuModuleLoadData", 1, OUT_OF_MEMORY);
            assertThat(backend.kernels.get("core_test", "affine")).isNotNull();
            assertThat(backend.general().statistics().cachedBytes()).isZero();
        }
    }

    @Test
    void oldGpusHaveNoBf16() {
        simulator.computeCapability(75);
        try (CudaBackend backend = CudaTesting.open()) {
            assertThat(backend.whyNo(DType.BF16))
                    .startsWith("bf16 is not available: it needs a GPU of compute capability 8.0 or newer, and ")
                    .endsWith(" has 7.5");
            assertThat(backend.supports(OpKind.ADD, DType.BF16)).isFalse();
            assertThat(backend.supports(OpKind.ADD, DType.F32)).isTrue();
        }
    }

    @Test
    void emptyGridsAreNotLaunched() {
        try (CudaBackend backend = CudaTesting.open()) {
            Kernel kernel = backend.kernels.get("capture", "guard_finite");
            simulator.clearCalls();
            backend.launch(kernel).address(0).address(0).elements(0);
            backend.launch(kernel).address(0).address(0).grid(1, 0, 1, 32);
            assertThat(simulator.calls("cuLaunchKernel")).isZero();
        }
    }

    // ---- scalars ----

    @Test
    void scalarsGoAroundAndArriveInOrder() {
        try (CudaBackend backend = CudaTesting.open()) {
            int[] seen = new int[1];
            for (int i = 0; i < 3000; i++) {
                int value = i;
                long address = backend.scalars.put(4, (_, to) -> to.set(ValueLayout.JAVA_INT, 0, value));
                if (i % 37 == 0) {
                    backend.hostCopies.download(address, MemorySegment.ofArray(seen));
                    assertThat(seen[0]).isEqualTo(i);
                }
                assertThat(address % 64).isZero();
            }
            backend.hostCopies.download(backend.scalars.guard(), MemorySegment.ofArray(seen));
            assertThat(seen[0]).isZero();
        }
    }

    // ---- scratch ----

    @Test
    void scratchGrows() {
        try (CudaBackend backend = CudaTesting.open()) {
            assertThat(backend.scratch.get(0)).isZero();
            long first = backend.scratch.get(1000);
            assertThat(backend.scratch.get(500)).isEqualTo(first);
            assertThat(backend.scratch.get(1 << 20) % 256).isZero();
            assertThat(backend.workspace.get(10)).isNotEqualTo(backend.scratch.get(10));
        }
    }

    @Test
    void aClosedTensorIsRefused() {
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("test", backend)) {
            Tensor tensor = Tensor.of(new float[] {1}, 1);
            tensor.close();
            assertThatThrownBy(tensor::toFloatArray).isInstanceOf(ClosedException.class);
            assertThatThrownBy(Tensor.of(new float[] {1}, 1)::segment)
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("only host memory can be read directly");
        }
    }

    @Test
    void aWarmStepAllocatesNothing() {
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("test", backend)) {
            float[] values = new float[1000];
            for (int i = 0; i < 3; i++) {
                step(values);
            }
            long before = backend.statistics().nativeAllocations();
            Map<String, Long> live = simulator.live();
            for (int i = 0; i < 10; i++) {
                step(values);
            }
            assertThat(backend.statistics().nativeAllocations()).isEqualTo(before);
            assertThat(simulator.live()).isEqualTo(live);
        }
    }

    private static void step(float[] values) {
        Arrays.fill(values, 3);
        try (Tensor a = Tensor.of(values, values.length);
                Tensor b = Tensor.empty(a.shape(), DType.F32)) {
            b.copyFrom(a);
            assertThat(b.toFloatArray()).containsOnly(3);
        }
    }
}
