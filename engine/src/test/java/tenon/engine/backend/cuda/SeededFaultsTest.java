package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.engine.DType;
import tenon.engine.TenonException;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cuda.CudaOptions.ConvolutionChoice;
import tenon.engine.backend.cuda.CudaOptions.LibraryChoice;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.testing.CudaTesting;
import tenon.simulator.Simulator;
import tenon.simulator.Simulator.Fault;
import tenon.simulator.Simulator.Order;
import tenon.simulator.Simulator.Streams;

/**
 * Tests the tests: with one fault put into the back-end's calls or into its kernels, a few training steps on the simulated device do not pass as right. Without a
 * fault they do, in every order of streams and threads.
 */
class SeededFaultsTest {
    private static final Map<DType, double[]> EXPECTED = new EnumMap<>(DType.class);

    /** Between the halves of a step of the tree that adds up a block's statistics. */
    private static final String BARRIER = """
                __syncthreads();
                if (at.row < half) {
        """;

    @TempDir
    private Path cache;

    private Simulator simulator;

    /** @param step of {@link SmallTraining} before which the fault is put in */
    private record Seeded(
            String name,
            DType dtype,
            Streams streams,
            ConvolutionChoice convolution,
            LibraryChoice library,
            int step,
            boolean ofKernel,
            Consumer<Simulator> fault) {
        Seeded with(DType other) {
            return new Seeded(name, other, streams, convolution, library, step, ofKernel, fault);
        }

        Seeded with(Streams other) {
            return new Seeded(name, dtype, other, convolution, library, step, ofKernel, fault);
        }

        Seeded with(ConvolutionChoice other) {
            return new Seeded(name, dtype, streams, other, library, step, ofKernel, fault);
        }

        Seeded with(LibraryChoice other) {
            return new Seeded(name, dtype, streams, convolution, other, step, ofKernel, fault);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /** The n-th call from the step on is faulty. */
    private static Seeded call(String name, int step, String call, int n, Fault fault) {
        return new Seeded(
                name,
                DType.F32,
                Streams.LAZY,
                ConvolutionChoice.LEGACY,
                LibraryChoice.OWN,
                step,
                false,
                simulator -> simulator.fault(call, n, fault));
    }

    /** A kernel file has another text. */
    private static Seeded kernel(String name, String file, String from, String to) {
        return new Seeded(
                name,
                DType.F32,
                Streams.LAZY,
                ConvolutionChoice.LEGACY,
                LibraryChoice.OWN,
                SmallTraining.BEFORE,
                true,
                simulator -> simulator.mutate(file, from, to));
    }

    static List<Seeded> faults() {
        return List.of(
                // Order
                call("computation does not wait for an upload", 1, "cuStreamWaitEvent", 4, Fault.DROP),
                call("an upload does not wait for the last use of its place", 2, "cuStreamWaitEvent", 1, Fault.DROP)
                        .with(Streams.OTHERS_FIRST),
                call("the end of an upload is not recorded", 1, "cuEventRecord", 2, Fault.DROP),
                call(
                        "the host does not wait before it fills pinned memory again",
                        7,
                        "cuEventSynchronize",
                        2,
                        Fault.DROP),
                call("the host does not wait for a download", SmallTraining.AFTER, "cuEventSynchronize", 2, Fault.DROP),
                call("a convolution runs on another stream", 1, "cudnnConvolutionForward", 1, Fault.WRONG_STREAM),
                call("an update runs on another stream", 1, "kernel sgd_momentum", 1, Fault.WRONG_STREAM),
                call("a kernel runs before what it needs", 1, "kernel normalize_f32_vector", 1, Fault.EARLY),
                // Lost work
                call("a fill is lost", SmallTraining.BEFORE, "kernel fill", 1, Fault.DROP),
                call("a copy on the device is lost", 1, "cuMemcpyDtoDAsync", 1, Fault.DROP),
                call("a kernel is lost", 1, "kernel merge_gradients", 1, Fault.DROP),
                call("a replay is lost", 6, "cuGraphLaunch", 1, Fault.DROP),
                // Half of the work
                call("half of an upload", 1, "cuMemcpyHtoDAsync", 1, Fault.HALF),
                call("half of a convolution's images", 1, "cudnnConvolutionForward", 1, Fault.HALF),
                call("half of a graph's images", 1, "cudnnBackendExecute", 1, Fault.HALF)
                        .with(ConvolutionChoice.GRAPH),
                call("half of a kernel's blocks", 1, "kernel sum_gradients_f32_vector", 1, Fault.HALF),
                // Arguments
                call(
                        "operands of a convolution's gradient change places",
                        1,
                        "cudnnConvolutionBackwardFilter",
                        1,
                        Fault.SWAP_ARGUMENTS),
                call("operands of a graph change places", 1, "cudnnBackendExecute", 1, Fault.SWAP_ARGUMENTS)
                        .with(ConvolutionChoice.GRAPH),
                call("operands of a product change places", 1, "cublasGemmEx", 1, Fault.SWAP_ARGUMENTS),
                call(
                        "pointers of a kernel change places",
                        1,
                        "kernel cross_entropy_labels_backward_f32",
                        1,
                        Fault.SWAP_ARGUMENTS),
                // Batch normalization by cuDNN
                call(
                                "a normalization runs on another stream",
                                1,
                                "cudnnBatchNormalizationForwardTrainingEx",
                                1,
                                Fault.WRONG_STREAM)
                        .with(LibraryChoice.CUDNN),
                call("a normalization runs early", 1, "cudnnBatchNormalizationForwardTrainingEx", 1, Fault.EARLY)
                        .with(LibraryChoice.CUDNN),
                call("a normalization is lost", 1, "cudnnBatchNormalizationForwardTrainingEx", 1, Fault.DROP)
                        .with(LibraryChoice.CUDNN),
                call(
                                "scale and shift of a normalization change places",
                                1,
                                "cudnnBatchNormalizationForwardTrainingEx",
                                1,
                                Fault.SWAP_ARGUMENTS)
                        .with(LibraryChoice.CUDNN),
                call(
                                "gradients of scale and shift change places",
                                1,
                                "cudnnBatchNormalizationBackwardEx",
                                1,
                                Fault.SWAP_ARGUMENTS)
                        .with(LibraryChoice.CUDNN),
                call("running averages are not moved", 1, "kernel move_averages", 1, Fault.DROP)
                        .with(LibraryChoice.CUDNN),
                call("sizes in a descriptor change places", 0, "cudnnDeriveBNTensorDescriptor", 1, Fault.SWAP_ARGUMENTS)
                        .with(LibraryChoice.CUDNN),
                call(
                                "the reserve space is too small",
                                0,
                                "cudnnGetBatchNormalizationTrainingExReserveSpaceSize",
                                1,
                                Fault.HALF)
                        .with(LibraryChoice.CUDNN),
                call(
                                "the reserve space is somebody else's before the backward pass",
                                1,
                                "cudnnBatchNormalizationForwardTrainingEx",
                                1,
                                Fault.HALF)
                        .with(LibraryChoice.CUDNN),
                call("the library's handle has no stream", SmallTraining.BEFORE, "cudnnSetStream", 1, Fault.DROP)
                        .with(LibraryChoice.CUDNN),
                // Pooling by cuDNN
                call("a pooling runs on another stream", 1, "cudnnPoolingForward", 1, Fault.WRONG_STREAM)
                        .with(LibraryChoice.CUDNN),
                call("half of a pooling's images", 1, "cudnnPoolingBackward", 1, Fault.HALF)
                        .with(LibraryChoice.CUDNN),
                call(
                                "operands of a pooling's gradient change places",
                                1,
                                "cudnnPoolingBackward",
                                2,
                                Fault.SWAP_ARGUMENTS)
                        .with(LibraryChoice.CUDNN),
                call(
                                "window and stride of a pooling change places",
                                0,
                                "cudnnSetPooling2dDescriptor",
                                2,
                                Fault.SWAP_ARGUMENTS)
                        .with(LibraryChoice.CUDNN),
                // Memory
                call("memory is freed early", SmallTraining.BEFORE, "cuMemAlloc", 1, Fault.EARLY),
                call("memory is too small", SmallTraining.BEFORE, "cuMemAlloc", 1, Fault.HALF),
                // Kernels
                kernel("a barrier is missing", "normalization.cu", BARRIER, BARRIER.replace("__syncthreads();", "")),
                kernel("a warp's sum takes too few steps", "losses.cu", "mask >>= 1", "mask >>= 2"),
                kernel(
                        "an update leaves out the last elements",
                        "updates.cu",
                        "i < to; i += blockDim.x",
                        "i < to - 1; i += blockDim.x"),
                kernel("an update does not write the copy in BF16", "updates.cu", "store(p.copy + i, w);", "")
                        .with(DType.BF16));
    }

    @BeforeEach
    void reset() {
        simulator = CudaTesting.simulator();
        simulator.reset();
    }

    /** A fault may leave a broken context behind. */
    @AfterEach
    void restart() {
        simulator.restart();
    }

    private static double[] expected(DType dtype) {
        return EXPECTED.computeIfAbsent(dtype, _ -> {
            try (Backend reference = ReferenceBackend.open()) {
                return SmallTraining.run(reference, dtype, _ -> {});
            }
        });
    }

    /** What a look at results, errors, wrong calls and leaks finds; null if nothing. */
    private String wrongWith(DType dtype, CudaOptions options, Consumer<Integer> atStep) {
        double[] expected = expected(dtype);
        Map<String, Long> before = simulator.live();
        try (Backend backend = CudaTesting.open(options)) {
            double[] actual = SmallTraining.run(backend, dtype, atStep::accept);
            double tolerance = dtype == DType.F32 ? 1e-5 : 0.01;
            for (int i = 0; i < expected.length; i++) {
                if (!(Math.abs(actual[i] - expected[i]) <= tolerance * (1 + Math.abs(expected[i])))) {
                    return "value " + i + ": actual=" + actual[i] + ", expected=" + expected[i];
                }
            }
        } catch (TenonException e) {
            return e.toString();
        }
        if (!simulator.violations().isEmpty()) {
            return "wrong calls: " + simulator.violations();
        }
        Map<String, Long> live = new TreeMap<>(simulator.live());
        return live.equals(before) ? null : "alive: " + live + ", before: " + before;
    }

    @ParameterizedTest
    @CsvSource({
        "F32, RANDOM, SHUFFLED", "F32, LAZY, ASCENDING", "F32, OTHERS_FIRST, DESCENDING", "F32, IMMEDIATE, SHUFFLED",
        "BF16, RANDOM, SHUFFLED", "BF16, LAZY, DESCENDING", "BF16, OTHERS_FIRST, SHUFFLED",
                "BF16, IMMEDIATE, ASCENDING",
    })
    void withoutAFaultAllIsRight(DType dtype, Streams streams, Order order) {
        simulator.streams(streams);
        simulator.order(order);
        assertThat(wrongWith(dtype, CudaTesting.options(), _ -> {})).isNull();
    }

    /** Kernels and libraries are held against the bytes of each tensor. */
    @ParameterizedTest
    @CsvSource({"F32, OWN", "BF16, OWN", "F32, CUDNN", "BF16, CUDNN"})
    void memoryOutsideOfTensorsIsNotTouched(DType dtype, LibraryChoice choice) {
        System.setProperty("tenon.cuda.memory.exact", "true");
        try {
            assertThat(wrongWith(
                            dtype, CudaTesting.options().withBatchNorm(choice).withPooling(choice), _ -> {}))
                    .isNull();
        } finally {
            System.clearProperty("tenon.cuda.memory.exact");
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("faults")
    void aFaultIsNoticed(Seeded seeded) {
        simulator.streams(seeded.streams);
        CudaOptions options = CudaTesting.options()
                .withConvolution(seeded.convolution)
                .withBatchNorm(seeded.library)
                .withPooling(seeded.library);
        if (seeded.ofKernel) {
            options = options.withCache(cache);
        }
        String wrong = wrongWith(seeded.dtype, options, step -> {
            if (step == seeded.step) {
                seeded.fault.accept(simulator);
            }
        });
        assertThat(simulator.fired()).as("the fault happened").isPositive();
        assertThat(wrong).as("what was noticed").isNotNull();
    }
}
