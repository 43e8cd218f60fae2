package tenon.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.blocks.Fire;
import tenon.layers.blocks.Inception;
import tenon.layers.blocks.PostActivationUnit;

/** What ends a branch computes the same as a part of the op that joins the branches as it does alone, which a listener enforces. */
class FusedEndsTest {
    private static final BatchNormSpec NORM = BatchNormSpec.defaults();
    private static final BatchNormSpec NORM_RELU = NORM.withActivation(Activation.RELU);
    private static final Initializer INITIALIZER = Initializer.glorotUniform();

    private static Conv2d conv(int in, int out) {
        return Conv2d.builder(in, out, 1).build();
    }

    static Stream<Arguments> networks() {
        return Stream.of(
                of(
                        "concat",
                        () -> new Concat(
                                conv(6, 4),
                                Conv2d.builder(6, 2, 1)
                                        .activation(Activation.RELU)
                                        .build(),
                                Sequential.of(conv(6, 5), new ActivationLayer(Activation.elu(0.25f))),
                                Sequential.of(conv(6, 3), ActivationLayer.relu(), new BatchNorm(3)),
                                Sequential.of(conv(6, 7), new BatchNorm(7, NORM_RELU)),
                                ActivationLayer.relu(),
                                new BatchNorm(6),
                                new Sequential())),
                of(
                        "residual",
                        () -> new Residual(Sequential.of(conv(6, 6), new BatchNorm(6)), conv(6, 6), Activation.RELU)),
                of(
                        "residual, identity, elu",
                        () -> new Residual(Sequential.of(conv(6, 6), new BatchNorm(6)), null, Activation.elu(1))),
                of(
                        "residual of an activated norm",
                        () -> new Residual(Sequential.of(conv(6, 6), new BatchNorm(6, NORM_RELU)))),
                of("fire", () -> new Fire(6, 4, 5, Activation.elu(0.25f), null, INITIALIZER)),
                of("fire with norm", () -> new Fire(6, 4, 5, Activation.RELU, NORM, INITIALIZER)),
                of(
                        "inception",
                        () -> new Inception(6, new Inception.Filters(3, 4, 5, 2, 7, 4), NORM_RELU, INITIALIZER)),
                of("post-activation", () -> PostActivationUnit.bottleneck(6, 8, 2, true, NORM, INITIALIZER)));
    }

    private static Arguments of(String name, Supplier<Module> network) {
        return Arguments.of(name, network);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("networks")
    void fusedEqualsApart(String name, Supplier<Module> network) {
        for (boolean training : new boolean[] {true, false}) {
            List<float[]> fused = run(network, training, null);
            List<float[]> apart = run(network, training, new ApplyListener() {
                @Override
                public void before(Module module, Tensor input) {}

                @Override
                public void after(Module module, Tensor input, Tensor output) {}
            });
            assertThat(fused).hasSameSizeAs(apart);
            for (int i = 0; i < fused.size(); i++) {
                assertThat(fused.get(i))
                        .as("tensor %d, training=%s", i, training)
                        .containsExactly(apart.get(i), within(2e-5f));
            }
        }
    }

    /** Result, input gradient, parameter gradients and state after one step from a fixed seed. */
    private static List<float[]> run(Supplier<Module> network, boolean training, ApplyListener listener) {
        try (CpuBackend cpu = CpuBackend.open(2);
                var _ = Scope.open("test", cpu)) {
            Generator.current().manualSeed(5);
            Module net = network.get();
            net.listen(listener);
            if (!training) {
                net.eval();
            }
            Tensor input = Tensor.empty(Shape.of(2, 5, 5, 6), DType.F32).requireGrad(true);
            cpu.random().normal(input, 0, 1, new Rng(1, 2, 3));
            List<float[]> results = new ArrayList<>();
            try (var _ = Scope.open("step")) {
                Tensor output = net.apply(input);
                results.add(output.toFloatArray());
                Tensor upstream = Tensor.empty(output.shape(), DType.F32);
                cpu.random().normal(upstream, 0, 1, new Rng(4, 5, 6));
                output.backward(upstream);
            }
            results.add(input.grad().toFloatArray());
            net.parameters().forEach(p -> results.add(p.value().grad().toFloatArray()));
            net.state().values().forEach(value -> results.add(value.toFloatArray()));
            return results;
        }
    }
}
