package tenon.io.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cuda.CudaBackend;
import tenon.engine.data.Batch;
import tenon.engine.data.BatchIterator;
import tenon.engine.data.BatchSource;
import tenon.simulator.SimulatedDevice;
import tenon.simulator.Simulator;

/** Batches for two simulated GPUs out of one source: what the second one gets does not pass through the first. */
class OtherDeviceTest {
    private static final Shape SAMPLE = Shape.of(3, 2, 1);

    private interface Source {
        BatchSource on(Backend backend);
    }

    private static BatchSource inMemory(Backend backend) {
        float[] pictures = new float[7 * 6];
        IntStream.range(0, pictures.length).forEach(i -> pictures[i] = i);
        return InMemoryBatchSource.ofClasses(
                backend, pictures, SAMPLE, IntStream.range(0, 7).toArray(), InMemoryBatchSource.Order.sequential(4));
    }

    @Test
    void picturesInMemory() {
        Simulator simulator = check(OtherDeviceTest::inMemory);
        assertThat(simulator.calls("cuMemcpyHtoDAsync")).isPositive();
    }

    /** Nothing that is queued runs before it must: a batch is still on its way when the next one is asked for, on the same GPU or on the other. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void picturesInMemoryChangeNoBatchThatIsOnItsWay(boolean alternate) {
        Simulator simulator = twoGpus();
        simulator.streams(Simulator.Streams.LAZY);
        try (Backend first = CudaBackend.open(0);
                Backend second = CudaBackend.open(1);
                BatchSource source = inMemory(first)) {
            Tensor[] inputs = new Tensor[2];
            Tensor[] targets = new Tensor[2];
            for (int i = 0; i < 2; i++) {
                try (var _ = Scope.open("test", alternate && i == 1 ? second : first)) {
                    inputs[i] =
                            Tensor.empty(Shape.of(4 - i, 3, 2, 1), DType.F32).retain();
                    targets[i] = Tensor.empty(Shape.of(4 - i), DType.I32).retain();
                }
            }
            try (BatchIterator batches = source.iterate(0, 0)) {
                batches.next(inputs[0], targets[0]);
                batches.next(inputs[1], targets[1]);
            }
            assertThat(targets[0].toIntArray()).containsExactly(0, 1, 2, 3);
            assertThat(targets[1].toIntArray()).containsExactly(4, 5, 6);
            assertThat(inputs[0].toFloatArray()).startsWith(0, 1).endsWith(22, 23);
            assertThat(inputs[1].toFloatArray()).startsWith(24, 25).endsWith(40, 41);
            for (int i = 0; i < 2; i++) {
                inputs[i].close();
                targets[i].close();
            }
        } finally {
            simulator.reset();
        }
    }

    /** A device has its batch after the first epoch. */
    @Test
    void syntheticPictures() {
        Simulator simulator = check(backend -> new SyntheticBatchSource(backend, 7, 4, false, SAMPLE, 3, 5));
        assertThat(simulator.calls("cuMemcpyHtoDAsync")).isZero();
    }

    private static Simulator twoGpus() {
        SimulatedDevice.why().ifPresent(Assumptions::abort);
        System.setProperty("tenon.cuda.path", SimulatedDevice.folder().toString());
        Simulator simulator = new Simulator(SimulatedDevice.folder());
        simulator.reset();
        simulator.devices(2);
        return simulator;
    }

    /** Two epochs of batches of 4 and 3; the simulator's counts are the second one's. */
    private static Simulator check(Source sources) {
        Simulator simulator = twoGpus();
        var before = simulator.live();
        try (Backend first = CudaBackend.open(0);
                Backend second = CudaBackend.open(1);
                BatchSource handsOut = sources.on(first);
                BatchSource fills = sources.on(first);
                var _ = Scope.open("test", second)) {
            for (int epoch = 0; epoch < 2; epoch++) {
                float[][] expected = new float[2][];
                int[][] classes = new int[2][];
                try (BatchIterator batches = handsOut.iterate(0, 0)) {
                    for (int i = 0; i < 2; i++) {
                        Batch batch = batches.next();
                        expected[i] = batch.input().toFloatArray();
                        classes[i] = batch.target().toIntArray();
                    }
                    assertThat(batches.hasNext()).isFalse();
                }
                simulator.clearCalls();
                Tensor[] inputs = new Tensor[2];
                Tensor[] targets = new Tensor[2];
                try (BatchIterator batches = fills.iterate(0, 0)) {
                    for (int i = 0; i < 2; i++) {
                        inputs[i] = Tensor.empty(second, Shape.of(4 - i, 3, 2, 1), DType.F32);
                        targets[i] = Tensor.empty(second, Shape.of(4 - i), DType.I32);
                        batches.next(inputs[i], targets[i]);
                    }
                }
                assertThat(simulator.calls("cuMemcpyDtoHAsync")).isZero();
                for (int i = 0; i < 2; i++) {
                    assertThat(inputs[i].toFloatArray()).isEqualTo(expected[i]);
                    assertThat(targets[i].toIntArray()).isEqualTo(classes[i]);
                }
            }
        }
        assertThat(simulator.violations()).isEmpty();
        assertThat(simulator.live()).isEqualTo(before);
        return simulator;
    }
}
