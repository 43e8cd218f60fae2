package tenon.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.GradMode;
import tenon.engine.Precision;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.ops.Activation;
import tenon.engine.ops.Arithmetic;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.blocks.InvertedResidual;

class FeatureMapsTest {
    private static final Shape INPUT = Shape.of(2, 6, 6, 4);

    private Backend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        backend = ReferenceBackend.open();
        scope = Scope.open("test", backend);
        Generator.current().manualSeed(4);
    }

    @AfterEach
    void close() {
        scope.close();
        backend.close();
    }

    private static InvertedResidual block(int filters, int stride) {
        return new InvertedResidual(
                4, filters, stride, 2, true, Activation.RELU6, BatchNormSpec.defaults(), Initializer.glorotUniform());
    }

    /** A residual block, one with a stride, and a layer that fails when it runs. */
    private static Sequential network() {
        return new Sequential().add("a", block(4, 1)).add("b", block(6, 2)).add("never", new Module() {
            @Override
            protected Tensor forward(Tensor input) {
                throw new AssertionError("ran");
            }
        });
    }

    private static Tensor input() {
        float[] values = new float[(int) INPUT.elementCount()];
        Random random = new Random(1);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return Tensor.of(values, INPUT.toArray());
    }

    /** What the layers themselves say of their outputs. */
    private static Map<String, float[]> outputs(Sequential network, Tensor input) {
        Map<String, float[]> seen = new TreeMap<>();
        network.listen(new ApplyListener() {
            @Override
            public void before(Module module, Tensor given) {}

            @Override
            public void after(Module module, Tensor given, Tensor output) {
                seen.put(module.path(), output.toFloatArray());
            }
        });
        try (var _ = GradMode.noGrad()) {
            network.module("b").apply(network.module("a").apply(input));
        }
        network.listen(null);
        return seen;
    }

    @Test
    void mapsAreTheOutputsOfTheLayersInTheOrderOfTheNames() {
        Sequential network = network();
        network.eval();
        Tensor input = input();
        Map<String, float[]> expected = outputs(network, input);
        List<String> names = List.of("b", "a.depthwise", "b.expand", "a.project.bn", "a");
        int before = scope.tensorCount();
        Tensor[] maps = FeatureMaps.of(network, names).apply(input);
        assertThat(scope.tensorCount()).isEqualTo(before + names.size());
        for (int i = 0; i < maps.length; i++) {
            assertThat(maps[i].toFloatArray())
                    .as(names.get(i))
                    .containsExactly(expected.get(names.get(i)), within(1e-6f));
        }
        assertThat(maps[0].shape()).isEqualTo(Shape.of(2, 3, 3, 6));
        assertThat(maps[2].shape()).isEqualTo(Shape.of(2, 6, 6, 8));
        assertThat(input.isClosed()).isFalse();
    }

    /** Gradients of 3·Σ b.expand + Σ b, against differences. */
    @Test
    void gradientsOfSeveralMapsMeetInTheLayersBefore() {
        Sequential network = network();
        network.convertTo(DType.F64);
        network.eval();
        FeatureMaps maps = FeatureMaps.of(network, List.of("b.expand", "b"));
        Tensor weight = network.module("a").parameters().getFirst().value();
        double[] values = new double[INPUT.toArray()[0] * 6 * 6 * 4];
        Random random = new Random(1);
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextGaussian();
        }
        Tensor input = Tensor.of(values, INPUT.toArray());
        network.zeroGrad();
        try (Scope _ = Scope.open("step")) {
            loss(maps, input).backward();
        }
        double[] gradient = weight.grad().toDoubleArray();
        double[] original = weight.toDoubleArray();
        double step = 1e-6;
        for (int i : new int[] {0, 7, original.length - 1}) {
            double[] moved = original.clone();
            moved[i] += step;
            weight.upload(MemorySegment.ofArray(moved));
            double up = value(maps, input);
            moved[i] -= 2 * step;
            weight.upload(MemorySegment.ofArray(moved));
            double down = value(maps, input);
            assertThat(gradient[i]).isCloseTo((up - down) / (2 * step), within(1e-5));
        }
    }

    private static Tensor loss(FeatureMaps maps, Tensor input) {
        Tensor[] found = maps.apply(input);
        Tensor first = Arithmetic.sum(found[0]);
        return Arithmetic.add(Arithmetic.add(first, Arithmetic.add(first, first)), Arithmetic.sum(found[1]));
    }

    private static double value(FeatureMaps maps, Tensor input) {
        try (Scope _ = Scope.open("value");
                var _ = GradMode.noGrad()) {
            return loss(maps, input).item();
        }
    }

    @Test
    void anotherListenerStillHears() {
        Sequential network = network();
        network.eval();
        List<String> heard = new ArrayList<>();
        network.listen(new ApplyListener() {
            @Override
            public void before(Module module, Tensor given) {
                heard.add(module.path());
            }

            @Override
            public void after(Module module, Tensor given, Tensor output) {}
        });
        FeatureMaps.of(network, List.of("a.expand")).apply(input());
        assertThat(heard).startsWith("a", "a.expand", "a.expand.conv").contains("a.project");
        heard.clear();
        network.module("a.expand").apply(input());
        assertThat(heard).startsWith("a.expand");
    }

    @Test
    void mapsOfABf16NetworkHaveTheInputsType() {
        Sequential network = network();
        network.eval();
        network.computeIn(Precision.BF16);
        Tensor input = input();
        Tensor map = FeatureMaps.of(network, List.of("b")).apply(input)[0];
        assertThat(map.dtype()).isEqualTo(DType.F32);
        network.computeIn(Precision.FP32);
        float[] exact = FeatureMaps.of(network, List.of("b")).apply(input)[0].toFloatArray();
        assertThat(map.toFloatArray()).containsExactly(exact, within(0.1f)).isNotEqualTo(exact);
    }

    @Test
    void badNamesAreErrors() {
        Sequential network = network();
        assertThatThrownBy(() -> FeatureMaps.of(network, List.of())).hasMessageContaining("names=[]");
        assertThatThrownBy(() -> FeatureMaps.of(network, List.of("a", "a"))).hasMessageContaining("names=[a, a]");
        assertThatThrownBy(() -> FeatureMaps.of(network, List.of("a.missing")))
                .hasMessageContaining("no module of that name: name='a.missing'");
    }
}
