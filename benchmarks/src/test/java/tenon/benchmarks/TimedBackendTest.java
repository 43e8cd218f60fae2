package tenon.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import tenon.apps.networks.MnistNet;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;

class TimedBackendTest {
    @Test
    void countsTheKernelsOfATrainingStepAndChangesNoResult() {
        try (CpuBackend cpu = CpuBackend.open(2)) {
            TimedBackend timed = new TimedBackend(cpu);
            assertThat(loss(timed.backend())).isEqualTo(loss(cpu));

            Map<String, Long> calls = timed.entries().stream()
                    .collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue().calls));
            assertThat(calls)
                    .containsEntry("activation.forward [4, 800]", 1L)
                    .containsEntry("updates.sgd [800, 784]", 1L)
                    .containsEntry("dense.forward [800, 784]", 1L);
            assertThat(timed.entries().getFirst().getValue().nanos)
                    .isGreaterThanOrEqualTo(timed.entries().getLast().getValue().nanos);
        }
    }

    @Test
    void passesExceptionsOnAsTheyAre() {
        try (CpuBackend cpu = CpuBackend.open(1)) {
            Backend backend = new TimedBackend(cpu).backend();
            try (var _ = Scope.open("test", backend)) {
                Tensor doubles = Tensor.zeros(Shape.of(2), DType.F64);
                assertThatThrownBy(() -> backend.add(doubles, doubles, doubles)).isInstanceOf(DTypeException.class);
            }
        }
    }

    private static double loss(Backend backend) {
        tenon.engine.Generator.current().manualSeed(3);
        try (var _ = Scope.open("model", backend);
                TenonTraining training = new TenonTraining(new MnistNet(), 0.01, 0.9, 5e-4)) {
            training.batch(Tensor.full(Shape.of(4, 28, 28, 1), DType.F32, 0.5), Tensor.of(new int[] {1, 2, 3, 4}, 4));
            training.forward();
            training.backward();
            return training.update();
        }
    }
}
