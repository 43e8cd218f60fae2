package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.BackendStatistics;
import tenon.engine.backend.CapturedStep;
import tenon.engine.backend.StepState;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.testing.CleanDevice;
import tenon.engine.testing.CudaTesting;
import tenon.engine.testing.SmallNet;
import tenon.simulator.Simulator;

/** A small network, trained. */
@ExtendWith(CleanDevice.class)
class CudaTrainingTest {
    private final Simulator simulator = CudaTesting.simulator();

    private static List<Double> losses(Backend backend, DType dtype, int steps) {
        Generator.current().manualSeed(7);
        try (var _ = Scope.open("model", backend)) {
            SmallNet net = new SmallNet(backend, dtype, 4, 8, 2);
            List<Double> losses = new ArrayList<>();
            for (int i = 0; i < steps; i++) {
                losses.add(net.train());
            }
            return losses;
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void trainsAsTheReferenceDoes(DType dtype) {
        try (Backend cuda = CudaTesting.open();
                Backend reference = ReferenceBackend.open()) {
            List<Double> actual = losses(cuda, dtype, 4);
            List<Double> expected = losses(reference, DType.F32, 4);
            for (int i = 0; i < 4; i++) {
                assertThat(actual.get(i))
                        .as("loss of step %d", i)
                        .isCloseTo(expected.get(i), within(dtype == DType.F32 ? 1e-4 : 0.15));
            }
        }
    }

    @Test
    void repeatsItselfBitForBit() {
        try (Backend first = CudaTesting.open();
                Backend second = CudaTesting.open()) {
            List<Double> losses = losses(first, DType.F32, 4);
            simulator.seed(99);
            simulator.order(Simulator.Order.DESCENDING);
            assertThat(losses(second, DType.F32, 4)).isEqualTo(losses);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void createsNothingNativeOnceWarm(DType dtype) {
        try (CudaBackend cuda = CudaTesting.open();
                var _ = Scope.open("model", cuda)) {
            SmallNet net = new SmallNet(cuda, dtype, 4, 8, 2);
            for (int i = 0; i < 3; i++) {
                net.train();
            }
            BackendStatistics warm = cuda.statistics();
            Map<String, Long> live = simulator.live();
            long memory = cuda.allocator().statistics().liveBytes();
            for (int i = 0; i < 3; i++) {
                net.train();
            }
            assertThat(cuda.statistics()).isEqualTo(warm);
            assertThat(simulator.live()).isEqualTo(live);
            assertThat(cuda.allocator().statistics().liveBytes()).isEqualTo(memory);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void aRecordedStepComputesWhatSingleOperationsDo(DType dtype) {
        int eager = 3;
        int replayed = 3;
        List<Double> expected;
        try (CudaBackend cuda = CudaTesting.open()) {
            expected = losses(cuda, dtype, eager + replayed + 1);
        }
        Generator.current().manualSeed(7);
        try (CudaBackend cuda = CudaTesting.open();
                var _ = Scope.open("model", cuda)) {
            SmallNet net = new SmallNet(cuda, dtype, 4, 8, 2);
            List<Double> losses = new ArrayList<>();
            for (int i = 0; i < eager; i++) {
                losses.add(net.train());
            }
            Tensor[] loss = new Tensor[1];
            StepState state = new StepState(0.02f, eager, eager + 1);
            try (CapturedStep step = cuda.capture().record(state, () -> {
                Generator.current().beginStep(eager);
                try (var _ = Scope.open("step", cuda)) {
                    loss[0] = net.step().retain();
                }
            })) {
                for (int i = 0; i < replayed; i++) {
                    step.replay(new StepState(0.02f, eager + i, eager + i + 1));
                    losses.add(loss[0].item());
                }
                loss[0].close();
            }
            net.skip(replayed);
            losses.add(net.train());
            assertThat(losses).isEqualTo(expected);
        }
    }

    @Test
    void severalDevicesTrainAtOnce() throws Exception {
        simulator.devices(2);
        try (CudaBackend first = CudaTesting.open(CudaTesting.options().withDevice(0));
                CudaBackend second = CudaTesting.open(CudaTesting.options().withDevice(1));
                var threads = Executors.newFixedThreadPool(2)) {
            List<Double> expected = losses(first, DType.F32, 3);
            List<Future<List<Double>>> results = new ArrayList<>();
            for (CudaBackend backend : List.of(first, second)) {
                results.add(threads.submit(() -> losses(backend, DType.F32, 3)));
            }
            for (Future<List<Double>> result : results) {
                assertThat(result.get()).isEqualTo(expected);
            }
        }
    }

    @Test
    void severalThreadsUseOneBackend() throws Exception {
        try (CudaBackend backend = CudaTesting.open();
                var threads = Executors.newFixedThreadPool(3)) {
            List<Future<?>> results = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                int number = i + 1;
                results.add(threads.submit(() -> {
                    try (var _ = Scope.open("thread", backend)) {
                        for (int round = 0; round < 20; round++) {
                            Tensor a = Tensor.of(new float[] {number, round, 3}, 3);
                            Tensor b = Tensor.full(a.shape(), DType.F32, number);
                            backend.add(a, b, b);
                            assertThat(b.toFloatArray()).containsExactly(2 * number, round + number, 3 + number);
                        }
                    }
                }));
            }
            for (Future<?> result : results) {
                result.get();
            }
        }
    }
}
