package tenon.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.BackendStatistics;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.ops.Activation;
import tenon.engine.ops.Arithmetic;
import tenon.engine.ops.BatchNormSpec;
import tenon.engine.ops.Losses;

/** One network on two back-ends: the same initial weights bit for bit, the same results within rounding; and nothing created once warm. */
class BackendsTest {
    private static Sequential network() {
        Sequential branch = Sequential.of(
                Conv2d.builder(6, 6, 3)
                        .padding(1)
                        .groups(2)
                        .initializer(Initializer.heNormal())
                        .build(),
                new BatchNorm(6, BatchNormSpec.defaults().withActivation(Activation.RELU)));
        return new Sequential()
                .add("stem", Conv2d.builder(3, 6, 3).stride(2).samePadding().build())
                .add("residual", new Residual(branch))
                .add("elu", ActivationLayer.elu(0.25f))
                .add("pool", new MaxPool2d(2, 2))
                .add("both", new Concat(new Conv2d(6, 5, 1, 1, 0), new PRelu(6)))
                .add("average", new GlobalAvgPool2d())
                .add("flatten", new Flatten())
                .add("dropout", new Dropout(0.25))
                .add("fc", new Dense(11, 4, true, Initializer.heTruncatedNormal()));
    }

    /** Initial state, logits, loss and gradients of one training step. */
    private static Map<String, double[]> step(Backend backend) {
        Map<String, double[]> results = new LinkedHashMap<>();
        try (backend;
                var _ = Scope.open("model", backend)) {
            Generator.current().manualSeed(42);
            Sequential net = network();
            net.state().forEach((name, value) -> results.put("initial " + name, value.toDoubleArray()));
            Tensor images = Tensor.empty(Shape.of(4, 9, 9, 3), DType.F32);
            backend.random().normal(images, 0, 1, new Rng(1, 2, 3));
            Tensor logits = net.apply(images);
            Tensor loss = Losses.softmaxCrossEntropy(logits, Tensor.of(new int[] {0, 3, 1, 1}, 4));
            loss.backward();
            results.put("logits", logits.toDoubleArray());
            results.put("loss", loss.toDoubleArray());
            net.parameters()
                    .forEach(p ->
                            results.put("gradient " + p.name(), p.value().grad().toDoubleArray()));
            net.buffers()
                    .forEach(b -> results.put("after " + b.name(), b.value().toDoubleArray()));
        }
        return results;
    }

    @Test
    void cpuAgreesWithReference() {
        Map<String, double[]> expected = step(ReferenceBackend.open());
        Map<String, double[]> actual = step(CpuBackend.open());

        assertThat(actual.keySet()).containsExactlyElementsOf(expected.keySet());
        expected.forEach((name, values) -> {
            if (name.startsWith("initial")) {
                assertThat(actual.get(name)).as(name).isEqualTo(values);
            } else {
                assertThat(actual.get(name)).as(name).containsExactly(values, within(2e-5));
            }
        });
    }

    @Test
    void warmStepsCreateNothingNative() {
        try (Backend backend = CpuBackend.open();
                var _ = Scope.open("model", backend)) {
            Generator.current().manualSeed(42);
            Sequential net = network();
            Tensor images = Tensor.full(Shape.of(4, 9, 9, 3), DType.F32, 1);
            BackendStatistics warm = null;
            for (int i = 0; i < 6; i++) {
                net.zeroGrad();
                try (var _ = Scope.open("step")) {
                    Arithmetic.mean(net.apply(images)).backward();
                }
                if (i == 2) {
                    warm = backend.statistics();
                }
            }
            assertThat(backend.statistics()).isEqualTo(warm);
        }
    }
}
