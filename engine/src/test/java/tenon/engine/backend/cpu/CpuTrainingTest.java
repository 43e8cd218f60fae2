package tenon.engine.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tenon.engine.Generator;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.BackendStatistics;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.testing.SmallNet;

class CpuTrainingTest {
    private static List<Double> losses(Backend backend, int steps) {
        Generator.current().manualSeed(7);
        try (var _ = Scope.open("model", backend)) {
            SmallNet net = new SmallNet(backend, 8, 8, 4);
            List<Double> losses = new ArrayList<>();
            for (int i = 0; i < steps; i++) {
                losses.add(net.train());
            }
            return losses;
        }
    }

    @Test
    void trainsAsTheReferenceDoes() {
        try (Backend cpu = CpuBackend.open(2);
                Backend reference = ReferenceBackend.open()) {
            List<Double> actual = losses(cpu, 4);
            List<Double> expected = losses(reference, 4);
            for (int i = 0; i < 4; i++) {
                assertThat(actual.get(i)).as("loss of step %d", i).isCloseTo(expected.get(i), within(1e-4));
            }
        }
    }

    @Test
    void learnsABatchByHeart() {
        try (Backend cpu = CpuBackend.open(2)) {
            List<Double> losses = losses(cpu, 60);
            assertThat(losses.getLast()).isLessThan(losses.getFirst() / 2);
        }
    }

    @Test
    void repeatsItselfBitForBit() {
        try (Backend first = CpuBackend.open(2);
                Backend second = CpuBackend.open(2)) {
            assertThat(losses(first, 5)).isEqualTo(losses(second, 5));
        }
    }

    @Test
    void createsNothingNativeOnceWarm() {
        try (CpuBackend cpu = CpuBackend.open(2);
                var _ = Scope.open("model", cpu)) {
            SmallNet net = new SmallNet(cpu, 8, 8, 4);
            net.train();
            net.train();
            BackendStatistics warm = cpu.statistics();
            for (int i = 0; i < 3; i++) {
                net.train();
            }
            assertThat(cpu.statistics()).isEqualTo(warm);
            assertThat(warm.primitives()).isPositive();
        }
    }

    @Test
    void usesNoReferencePrimitive() {
        try (CpuBackend cpu = CpuBackend.open(2);
                var _ = Scope.open("model", cpu)) {
            new SmallNet(cpu, 16, 28, 32).train();
            assertThat(cpu.primitiveReport()).isNotEmpty().noneMatch(PrimitiveReport::isReference);
        }
    }

    @Test
    void keepsTrainedParametersFinite() {
        try (CpuBackend cpu = CpuBackend.open(1);
                var _ = Scope.open("model", cpu)) {
            SmallNet net = new SmallNet(cpu, 4, 8, 4);
            net.train();
            for (Tensor parameter : net.parameters()) {
                assertThat(cpu.isFinite(parameter)).isTrue();
            }
        }
    }
}
