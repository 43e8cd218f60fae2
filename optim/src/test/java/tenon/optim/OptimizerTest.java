package tenon.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.engine.AutogradException;
import tenon.engine.NonFiniteException;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.layers.Parameter;
import tenon.optim.checkpoint.FileOps;
import tenon.optim.checkpoint.SafetensorsFile;
import tenon.optim.checkpoint.SafetensorsWriter;

class OptimizerTest {
    private static final UpdateRules DECAY = UpdateRules.weightDecay(0.1);

    private Backend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        backend = ReferenceBackend.open();
        scope = Scope.open("trainer", backend);
    }

    @AfterEach
    void close() {
        scope.close();
        backend.close();
    }

    private static void setGrad(Parameter parameter, float... values) {
        parameter.value().gradBuffer().upload(values);
        parameter.value().markGradFilled();
    }

    private static Arguments method(
            String name, Function<List<Parameter>, Optimizer> optimizer, double one, double two) {
        return Arguments.of(name, optimizer, one, two);
    }

    /** Worked out by hand for w = 1, gradients 0.5 and −1, rate 0.1: the weight after each step. */
    static Stream<Arguments> methods() {
        return Stream.of(
                method("plain", p -> new Sgd(p, UpdateRules.PLAIN), 0.95, 1.05),
                method("plain, decay", p -> new Sgd(p, DECAY), 0.94, 1.0306),
                method("rescaled", p -> new Sgd(p, UpdateRules.PLAIN.withRescale(0.5)), 0.975, 1.025),
                method("momentum", p -> new Sgd(p, 0.9, false, UpdateRules.PLAIN), 0.95, 1.005),
                method("momentum, decay", p -> new Sgd(p, 0.9, false, DECAY), 0.94, 0.9766),
                method("Nesterov, decay", p -> new Sgd(p, 0.9, true, DECAY), 0.886, 1.010566),
                method("Adam", p -> new Adam(p, UpdateRules.PLAIN), 0.9, 0.9366103522),
                method("Adam, L2", p -> new Adam(p, DECAY), 0.9, 0.9252635178),
                method("AdamW", p -> Adam.decoupled(p, DECAY), 0.89, 0.9177103522),
                method("RMSprop", p -> new RmsProp(p, UpdateRules.PLAIN), 0.6837724340, 0.9694866380),
                method(
                        "RMSprop, momentum",
                        p -> new RmsProp(p, 0.9, 1e-7, 0.5, UpdateRules.PLAIN),
                        0.6837724340,
                        0.8113728550),
                method("clipped", p -> new Sgd(p, UpdateRules.PLAIN.clipGlobalNorm(0.8)), 0.95, 1.03));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("methods")
    void twoStepsByHand(String name, Function<List<Parameter>, Optimizer> make, double one, double two) {
        Parameter w = new Parameter("w", Tensor.of(new float[] {1}, 1), true);
        Optimizer optimizer = make.apply(List.of(w));
        setGrad(w, 0.5f);
        optimizer.step(0.1);
        assertThat(w.value().item()).isCloseTo(one, within(2e-7));
        optimizer.zeroGrad();
        assertThat(w.value().grad()).isNull();
        setGrad(w, -1);
        optimizer.step(0.1);
        assertThat(w.value().item()).isCloseTo(two, within(2e-7));
        assertThat(optimizer.stepCount()).isEqualTo(2);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("methods")
    void aReloadedCopyTakesTheSameSteps(
            String name, Function<List<Parameter>, Optimizer> make, double one, double two, @TempDir Path folder)
            throws IOException {
        List<Parameter> first = network(1);
        Optimizer optimizer = make.apply(first);
        Random random = new Random(3);
        for (int i = 0; i < 3; i++) {
            randomGradients(random, first, first);
            optimizer.step(0.05);
        }
        Path file = folder.resolve("optimizer.safetensors");
        SafetensorsWriter.write(FileOps.SYSTEM, file, optimizer.state(), Map.of());

        List<Parameter> second = network(2);
        for (int i = 0; i < first.size(); i++) {
            second.get(i).value().copyFrom(first.get(i).value());
        }
        Optimizer copy = make.apply(second);
        try (SafetensorsFile saved = SafetensorsFile.open(file)) {
            saved.readAll(copy.state());
        }
        copy.setStepCount(optimizer.stepCount());
        for (int i = 0; i < 3; i++) {
            randomGradients(random, first, second);
            optimizer.step(0.02);
            copy.step(0.02);
        }
        for (int i = 0; i < first.size(); i++) {
            assertThat(second.get(i)
                            .value()
                            .segment()
                            .mismatch(first.get(i).value().segment()))
                    .isEqualTo(-1);
        }
    }

    private static List<Parameter> network(long seed) {
        Random random = new Random(seed);
        List<Parameter> parameters = new ArrayList<>();
        for (int size : new int[] {1, 33, 0, 1000}) {
            float[] values = new float[size];
            for (int i = 0; i < size; i++) {
                values[i] = (float) random.nextGaussian();
            }
            parameters.add(new Parameter("p" + size, Tensor.of(values, size), size != 1));
        }
        return parameters;
    }

    private static void randomGradients(Random random, List<Parameter> first, List<Parameter> second) {
        for (int i = 0; i < first.size(); i++) {
            float[] values = new float[(int) first.get(i).value().elementCount()];
            for (int j = 0; j < values.length; j++) {
                values[j] = (float) random.nextGaussian();
            }
            setGrad(first.get(i), values);
            setGrad(second.get(i), values);
        }
    }

    @Test
    void decayAndRateFollowTheRules() {
        for (boolean all : new boolean[] {false, true}) {
            Parameter weight = new Parameter("fc.weight", Tensor.of(new float[] {1}, 1), true);
            Parameter bias = new Parameter("fc.bias", Tensor.of(new float[] {1}, 1), false);
            UpdateRules rules = DECAY.withRateScale(p -> p.name().equals("fc.weight") ? 0.5 : 2);
            Optimizer optimizer = new Sgd(List.of(weight, bias), all ? rules.onAllParameters() : rules);
            setGrad(weight, 1);
            setGrad(bias, 1);
            optimizer.step(0.1);
            assertThat(weight.value().item()).isCloseTo(1 - 0.05 * 1.1, within(1e-7));
            assertThat(bias.value().item()).isCloseTo(all ? 1 - 0.2 * 1.1 : 1 - 0.2, within(1e-7));
        }
    }

    @Test
    void clippingLimitsTheJointNormOrEachOne() {
        for (boolean joint : new boolean[] {true, false}) {
            Parameter a = new Parameter("a", Tensor.of(new float[] {0, 0}, 2), true);
            Parameter b = new Parameter("b", Tensor.of(new float[] {0}, 1), true);
            Optimizer optimizer = new Sgd(
                    List.of(a, b), joint ? UpdateRules.PLAIN.clipGlobalNorm(6.5) : UpdateRules.PLAIN.clipEachNorm(6.5));
            setGrad(a, 3, 4);
            setGrad(b, -12);
            optimizer.step(1);
            if (joint) { // the joint norm is 13
                assertThat(a.value().toFloatArray()).containsExactly(-1.5f, -2);
                assertThat(b.value().item()).isEqualTo(6);
            } else {
                assertThat(a.value().toFloatArray()).containsExactly(-3, -4);
                assertThat(b.value().item()).isCloseTo(6.5, within(1e-6));
            }
            setGrad(b, Float.NaN);
            assertThatThrownBy(() -> optimizer.step(1)).isInstanceOf(NonFiniteException.class);
        }
    }

    @Test
    void frozenParametersStayAndMissingGradientsAreErrors() {
        Parameter a = new Parameter("a", Tensor.of(new float[] {1}, 1), true);
        Parameter b = new Parameter("b", Tensor.of(new float[] {1}, 1), true);
        Parameter c = new Parameter("c", Tensor.of(new float[] {1}, 1), true);
        c.setTrainable(false);
        Optimizer optimizer = new Sgd(List.of(a, b, c), 0.9, false, UpdateRules.PLAIN);
        assertThat(optimizer.state().keySet()).containsExactly("a.velocity", "b.velocity");
        setGrad(a, 1);
        assertThatThrownBy(() -> optimizer.step(0.1))
                .isInstanceOf(AutogradException.class)
                .hasMessageContaining("'b' has none");
        assertThat(a.value().item()).isEqualTo(1);

        b.setTrainable(false);
        optimizer.step(0.5);
        b.setTrainable(true);
        setGrad(b, 1);
        optimizer.step(0.5);
        assertThat(a.value().toFloatArray()).containsExactly(1 - 0.5f - 0.5f * 1.9f);
        assertThat(b.value().item()).isEqualTo(0.5);
        assertThat(c.value().item()).isEqualTo(1);

        c.setTrainable(true);
        assertThatThrownBy(() -> optimizer.step(0.5)).hasMessageContaining("'c' is trainable but was frozen");
        a.setTrainable(false);
        assertThatThrownBy(() -> new Sgd(List.of(a), UpdateRules.PLAIN)).hasMessageContaining("all frozen");
    }

    @Test
    void stepsAllocateNothing() {
        List<Parameter> parameters = network(1);
        Optimizer optimizer = new Adam(parameters, UpdateRules.PLAIN);
        Random random = new Random(3);
        randomGradients(random, parameters, parameters);
        long before = backend.allocator().statistics().allocations();
        scope.seal();
        for (int i = 0; i < 5; i++) {
            optimizer.step(0.1);
        }
        scope.unseal();
        assertThat(backend.allocator().statistics().allocations()).isEqualTo(before);
    }

    @Test
    void refusesSenselessArguments() {
        List<Parameter> w = List.of(new Parameter("w", Tensor.of(new float[] {1}, 1), true));
        assertThatThrownBy(() -> new Sgd(w, 1, false, UpdateRules.PLAIN)).hasMessageContaining("momentum=1.0");
        assertThatThrownBy(() -> new Sgd(w, 0, true, UpdateRules.PLAIN)).hasMessageContaining("Nesterov");
        assertThatThrownBy(() -> new Adam(w, 0.9, 0.999, 0, false, UpdateRules.PLAIN))
                .hasMessageContaining("epsilon=0.0");
        assertThatThrownBy(() -> UpdateRules.weightDecay(-1)).hasMessageContaining("weightDecay=-1.0");
        assertThatThrownBy(() -> UpdateRules.PLAIN.clipGlobalNorm(0)).hasMessageContaining("clipNorm=0.0");
    }
}
