package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.BackendStatistics;
import tenon.engine.backend.cuda.CudaOptions.LibraryChoice;
import tenon.engine.ops.Padding;
import tenon.engine.ops.PoolSpec;
import tenon.engine.ops.Pooling;
import tenon.engine.testing.CleanDevice;
import tenon.engine.testing.CudaTesting;
import tenon.simulator.Simulator;

/** Who computes pooling, and what the tape keeps for it. */
@ExtendWith(CleanDevice.class)
class PoolingChoiceTest {
    private static final int NOT_SUPPORTED = 3000;
    private static final String FORWARD = "cudnnPoolingForward";
    private static final String BACKWARD = "cudnnPoolingBackward";
    private static final PoolSpec EQUAL = PoolSpec.of(3, 2, 1);
    private static final List<PoolSpec> OWN_KERNELS = List.of(
            PoolSpec.of(2, 2).withCeilMode(true), new PoolSpec(2, 2, 1, 1, new Padding(0, 1, 0, 1), false, false));

    @TempDir
    Path cache;

    private final Simulator simulator = CudaTesting.simulator();

    private CudaOptions options(LibraryChoice choice) {
        return CudaTesting.options().withCache(cache).withPooling(choice);
    }

    /** Gradient of the sum of both poolings. */
    private static float[] train(PoolSpec spec) {
        try (Scope _ = Scope.open("step")) {
            float[] values = new float[2 * 5 * 5 * 3];
            for (int i = 0; i < values.length; i++) {
                values[i] = i * 37 % 101;
            }
            Tensor input = Tensor.of(values, 2, 5, 5, 3).requireGrad(true);
            for (Tensor output : List.of(Pooling.maxPool2d(input, spec), Pooling.avgPool2d(input, spec))) {
                output.backward(Tensor.full(output.shape(), DType.F32, 1));
            }
            return input.grad().toFloatArray();
        }
    }

    private long libraryCalls() {
        return simulator.calls(FORWARD) + simulator.calls(BACKWARD);
    }

    @Test
    void theOptionsNameWhoComputes() {
        float[] expected;
        try (CudaBackend backend = CudaBackend.open(options(LibraryChoice.OWN));
                Scope _ = Scope.open("test", backend)) {
            expected = train(EQUAL);
            assertThat(libraryCalls()).isZero();
        }
        simulator.clearCalls();
        try (CudaBackend backend = CudaBackend.open(options(LibraryChoice.CUDNN));
                Scope _ = Scope.open("test", backend)) {
            assertThat(train(EQUAL)).isEqualTo(expected);
            // Maximum and average, each tried once.
            assertThat(libraryCalls()).isEqualTo(2 * 2 * 2);
            assertThat(simulator.calls().keySet()).noneMatch(call -> call.startsWith("kernel max_"));
        }
    }

    @Test
    void theRestIsOwnKernels() {
        try (CudaBackend backend = CudaBackend.open(options(LibraryChoice.CUDNN));
                Scope _ = Scope.open("test", backend)) {
            for (PoolSpec spec : OWN_KERNELS) {
                train(spec);
            }
            assertThat(libraryCalls()).isZero();
            // Without a rest, ceil mode is floor mode.
            train(PoolSpec.of(3, 2).withCeilMode(true));
            assertThat(libraryCalls()).isPositive();
        }
    }

    @Test
    void whatTheLibraryDoesNotDoOwnKernelsDo() {
        for (int i = 1; i <= 8; i++) {
            simulator.failAt(FORWARD, i, NOT_SUPPORTED);
        }
        try (CudaBackend backend = CudaBackend.open(options(LibraryChoice.CUDNN));
                Scope _ = Scope.open("test", backend)) {
            train(EQUAL);
            assertThat(simulator.calls(BACKWARD)).isZero();
            assertThat(simulator.calls().keySet()).anyMatch(call -> call.startsWith("kernel max_backward"));
        }
    }

    @Test
    void nothingIsCreatedOnceStepsAreWarm() {
        try (CudaBackend backend = CudaBackend.open(options(LibraryChoice.CUDNN));
                Scope _ = Scope.open("test", backend)) {
            train(EQUAL);
            train(EQUAL);
            BackendStatistics warm = backend.statistics();
            assertThat(warm.descriptors()).isEqualTo(6);
            train(EQUAL);
            assertThat(backend.statistics()).isEqualTo(warm);
        }
    }

    @Test
    void choicesAreMeasuredOnceAndRemembered() {
        float[] first;
        try (CudaBackend backend = CudaBackend.open(options(LibraryChoice.MEASURED));
                Scope _ = Scope.open("test", backend)) {
            first = train(EQUAL);
            assertThat(backend.chooser().measured()).isBetween(2L, 3L);
        }
        try (CudaBackend backend = CudaBackend.open(options(LibraryChoice.MEASURED));
                Scope _ = Scope.open("test", backend)) {
            assertThat(train(EQUAL)).isEqualTo(first);
            assertThat(backend.chooser().measured()).isZero();
        }
    }

    /** No workspace: the bytes that live between the passes are the operands' alone. */
    @Test
    void theTapeKeepsOperandsOrAWorkspace() {
        for (LibraryChoice choice : List.of(LibraryChoice.OWN, LibraryChoice.CUDNN)) {
            try (CudaBackend backend = CudaBackend.open(options(choice));
                    Scope _ = Scope.open("test", backend)) {
                Tensor input = Tensor.zeros(Shape.of(1, 8, 8, 64), DType.F32).requireGrad(true);
                long before = backend.general().statistics().liveBytes();
                Tensor output = Pooling.maxPool2d(input, PoolSpec.of(2, 2));
                long kept = backend.general().statistics().liveBytes() - before - output.byteSize();
                assertThat(kept).as("%s", choice).isEqualTo(choice == LibraryChoice.OWN ? 4 * 4 * 64 : 0);
                output.backward(Tensor.full(output.shape(), DType.F32, 1));
            }
        }
    }
}
