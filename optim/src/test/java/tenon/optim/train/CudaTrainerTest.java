package tenon.optim.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.NonFiniteException;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.backend.cuda.CudaBackend;
import tenon.engine.ops.Activations;
import tenon.engine.ops.Arithmetic;
import tenon.layers.ActivationLayer;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dense;
import tenon.layers.Dropout;
import tenon.layers.Flatten;
import tenon.layers.MaxPool2d;
import tenon.layers.Module;
import tenon.layers.Sequential;
import tenon.optim.Adam;
import tenon.optim.Optimizer;
import tenon.optim.RmsProp;
import tenon.optim.Sgd;
import tenon.optim.UpdateRules;
import tenon.optim.checkpoint.CheckpointStore;
import tenon.optim.schedule.Schedule;
import tenon.simulator.SimulatedDevice;
import tenon.simulator.Simulator;

/** Training on a CUDA device, simulated: recorded steps against eager ones, and runs that move between CPU and device. */
class CudaTrainerTest {
    private static final int EPOCHS = 3;
    private static final int BATCHES = 6; // 43 samples in batches of 8: the last has 3
    private static final JitterSource TRAINING = new JitterSource(43, 8, 5, true);
    private static final JitterSource VALIDATION = new JitterSource(20, 8, 6, false);

    @TempDir
    private Path folder;

    private Backend cuda;
    private Scope scope;

    @BeforeEach
    void open() {
        SimulatedDevice.why().ifPresent(Assumptions::abort);
        System.setProperty("tenon.cuda.path", SimulatedDevice.folder().toString());
        cuda = CudaBackend.open();
        scope = Scope.open("run", cuda);
    }

    @AfterEach
    void close() {
        if (scope != null) {
            scope.close();
            cuda.close();
        }
    }

    private static Module network(long seed) {
        Generator.current().manualSeed(seed);
        return Sequential.of(
                new Conv2d(2, 4, 3, 1, 1),
                new BatchNorm(4),
                ActivationLayer.elu(1),
                new MaxPool2d(2, 2),
                new Dropout(0.25),
                new Flatten(),
                new Dense(16, 8),
                new BatchNorm(8),
                ActivationLayer.relu(),
                new Dropout(0.5),
                new Dense(8, JitterSource.CLASSES));
    }

    private static Optimizer optimizer(String name, Module model) {
        UpdateRules rules = UpdateRules.weightDecay(1e-3);
        return switch (name) {
            case "sgd" -> new Sgd(model.parameters(), 0.9, true, rules);
            case "adam" -> new Adam(model.parameters(), rules);
            case "rmsprop" -> new RmsProp(model.parameters(), 0.9, 1e-7, 0.5, rules);
            default -> throw new IllegalArgumentException(name);
        };
    }

    private static Trainer.Builder trainer(String optimizer, long modelSeed) {
        Module model = network(modelSeed);
        Schedule schedule = Schedule.cosine(0.02, 0.001, EPOCHS * BATCHES).warmUp(4, 0.001);
        return Trainer.builder(model, optimizer(optimizer, model), schedule, Loss.crossEntropy(0.1), TRAINING)
                .validation(VALIDATION)
                .seed(77);
    }

    private static Map<String, List<Double>> state(Trainer trainer) {
        Map<String, List<Double>> tensors = new LinkedHashMap<>();
        Consumer<Map<String, Tensor>> collect = state -> state.forEach((name, tensor) -> {
            List<Double> values = new ArrayList<>();
            for (double value : tensor.toDoubleArray()) {
                assertThat(value).isFinite();
                values.add(value);
            }
            tensors.put(name, values);
        });
        collect.accept(trainer.model().state());
        collect.accept(trainer.optimizer().state());
        return tensors;
    }

    private static List<EpochRecord> history(Trainer trainer) {
        return trainer.history().epochs().stream().map(EpochRecord::withoutTime).toList();
    }

    private static Callback at(long step, Consumer<Trainer> action) {
        return new Callback() {
            @Override
            public void onStepEnd(Trainer trainer, Progress progress) {
                if (progress.step() == step) {
                    action.accept(trainer);
                }
            }
        };
    }

    /** Rates of a schedule, Adam's corrections, dropout's masks and an epoch's short last batch: all as step by step. */
    @ParameterizedTest
    @ValueSource(strings = {"sgd", "adam", "rmsprop"})
    void recordedStepsEndInTheBitsOfEagerOnes(String optimizer) {
        Trainer eager = trainer(optimizer, 1).captureSteps(false).build();
        eager.fit(EPOCHS);
        Trainer recorded = trainer(optimizer, 1).build();
        recorded.fit(EPOCHS);
        assertThat(state(recorded)).isEqualTo(state(eager));
        assertThat(history(recorded)).isEqualTo(history(eager));
        assertThat(recorded.optimizer().stepCount()).isEqualTo(EPOCHS * BATCHES);
    }

    @ParameterizedTest
    @CsvSource({"sgd, 1, 9", "adam, 5, 6", "adam, 8, 14"})
    void aStoppedAndResumedRunEndsInTheSameBits(String optimizer, long firstStop, long secondStop) {
        Trainer whole = trainer(optimizer, 1).build();
        whole.fit(EPOCHS);
        CheckpointStore store = CheckpointStore.open(folder, 2);
        Trainer first = trainer(optimizer, 1)
                .checkpoints(store)
                .callback(at(firstStop, Trainer::requestStop))
                .build();
        first.fit(EPOCHS);
        assertThat(first.step()).isEqualTo(firstStop);
        Trainer second = trainer(optimizer, 2)
                .checkpoints(store)
                .callback(at(secondStop, Trainer::requestStop))
                .build();
        second.resume();
        second.fit(EPOCHS);
        Trainer third = trainer(optimizer, 3).checkpoints(store).build();
        third.resume();
        third.fit(EPOCHS);
        assertThat(state(third)).isEqualTo(state(whole));
        assertThat(history(third)).isEqualTo(history(whole));
    }

    /** A checkpoint is the same on every device: what one saves, the other loads bit for bit, and the run goes on as it would have. */
    @ParameterizedTest
    @ValueSource(strings = {"sgd", "adam"})
    void aRunMovesFromCpuToDeviceAndBack(String optimizer) {
        List<EpochRecord> expected;
        try (Backend cpu = CpuBackend.open(1);
                Scope _ = Scope.open("cpu", cpu)) {
            Trainer whole = trainer(optimizer, 1).build();
            whole.fit(EPOCHS);
            expected = history(whole);
        }
        CheckpointStore store = CheckpointStore.open(folder, 3);
        Map<String, List<Double>> saved;
        try (Backend cpu = CpuBackend.open(1);
                Scope _ = Scope.open("cpu", cpu)) {
            Trainer first = trainer(optimizer, 1).checkpoints(store).build();
            first.fit(1);
            saved = state(first);
        }
        Trainer second = trainer(optimizer, 2).checkpoints(store).build();
        second.resume();
        assertThat(state(second)).isEqualTo(saved);
        second.fit(2);
        saved = state(second);
        try (Backend cpu = CpuBackend.open(1);
                Scope _ = Scope.open("cpu", cpu)) {
            Trainer third = trainer(optimizer, 3).checkpoints(store).build();
            third.resume();
            assertThat(state(third)).isEqualTo(saved);
            third.fit(EPOCHS);
            List<EpochRecord> actual = history(third);
            for (int i = 0; i < EPOCHS; i++) {
                assertThat(actual.get(i).loss()).isCloseTo(expected.get(i).loss(), within(1e-3));
            }
        }
    }

    /** The rate makes the loss overflow within a few steps: the run ends at that step, with the parameters of before. */
    @Test
    void aLossThatIsNotFiniteLeavesTheParametersOfBefore() {
        Module model = network(1);
        double[] rates = {0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 1e30, 1e30, 1e30};
        Schedule schedule = step -> rates[(int) Math.min(step, rates.length - 1)];
        List<Map<String, List<Double>>> before = new ArrayList<>();
        Trainer trainer = Trainer.builder(
                        model,
                        new Sgd(model.parameters(), 0, false, UpdateRules.PLAIN),
                        schedule,
                        Loss.crossEntropy(),
                        TRAINING)
                .build();
        assertThatThrownBy(() -> trainer.fit(EPOCHS))
                .isInstanceOf(NonFiniteException.class)
                .hasMessageContaining("the loss must stay finite: epoch=")
                .hasMessageContaining("a loss was not finite");
        long failed = trainer.step() + 1;
        assertThat(failed).isGreaterThan(BATCHES);
        assertThat(trainer.optimizer().stepCount()).isEqualTo(trainer.step());

        Module again = network(1);
        Trainer eager = Trainer.builder(
                        again,
                        new Sgd(again.parameters(), 0, false, UpdateRules.PLAIN),
                        schedule,
                        Loss.crossEntropy(),
                        TRAINING)
                .captureSteps(false)
                .build();
        assertThatThrownBy(() -> eager.fit(EPOCHS)).isInstanceOf(NonFiniteException.class);
        assertThat(eager.step() + 1).isEqualTo(failed);
        for (String name : model.state().keySet()) {
            if (!name.contains("running")) {
                assertThat(model.state().get(name).toFloatArray())
                        .as(name)
                        .containsExactly(again.state().get(name).toFloatArray());
            }
        }
    }

    private static Trainer clipped(double norm, boolean recorded, Loss loss, Callback... callbacks) {
        Module model = network(1);
        UpdateRules rules = UpdateRules.weightDecay(1e-3).withRescale(2).clipGlobalNorm(norm);
        Trainer.Builder builder = Trainer.builder(
                        model, new Adam(model.parameters(), rules), Schedule.constant(0.01), loss, TRAINING)
                .captureSteps(recorded)
                .seed(7);
        List.of(callbacks).forEach(builder::callback);
        return builder.build();
    }

    /** The norm that limits a step's gradients stays on the device. */
    @Test
    void clippedStepsAreRecordedAndEndInTheBitsOfEagerOnes() {
        Simulator simulator = new Simulator(SimulatedDevice.folder());
        Trainer eager = clipped(0.3, false, Loss.crossEntropy());
        eager.fit(EPOCHS);
        long before = simulator.calls("cuGraphLaunch");
        Trainer recorded = clipped(0.3, true, Loss.crossEntropy());
        recorded.fit(EPOCHS);
        // Two steps warm up, one batch in six is short.
        assertThat(simulator.calls("cuGraphLaunch") - before).isEqualTo(EPOCHS * (BATCHES - 1) - 2);
        assertThat(state(recorded)).isEqualTo(state(eager));
        assertThat(history(recorded)).isEqualTo(history(eager));
        Trainer free = clipped(1e9, true, Loss.crossEntropy());
        free.fit(EPOCHS);
        assertThat(state(free)).as("clipping makes a difference").isNotEqualTo(state(recorded));

        try (Backend cpu = CpuBackend.open(1);
                Scope _ = Scope.open("cpu", cpu)) {
            Trainer expected = clipped(0.3, true, Loss.crossEntropy());
            expected.fit(EPOCHS);
            for (int i = 0; i < EPOCHS; i++) {
                assertThat(history(recorded).get(i).loss())
                        .isCloseTo(history(expected).get(i).loss(), within(1e-3));
            }
        }
    }

    /** From step 9 on the gradient of the last bias is NaN, and the loss as before. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aNormThatIsNotFiniteLeavesTheParametersOfBefore(boolean recorded) {
        Tensor factor = Tensor.zeros(Shape.of(JitterSource.CLASSES), DType.F32);
        Module[] model = new Module[1];
        // ReLU(−b²·factor) is 0, and so is its gradient, which times an infinite factor is NaN.
        Loss loss = (logits, target) -> {
            Tensor bias = model[0].parameters().getLast().value();
            Tensor negative = Arithmetic.scale(Arithmetic.mul(bias, bias), -1);
            Tensor nothing = Activations.relu(Arithmetic.mul(negative, factor));
            return Arithmetic.add(Loss.crossEntropy().apply(logits, target), Arithmetic.mean(nothing));
        };
        Trainer trainer = clipped(0.3, recorded, loss, at(8, _ -> factor.fill(Double.POSITIVE_INFINITY)));
        model[0] = trainer.model();
        assertThatThrownBy(() -> trainer.fit(EPOCHS))
                .isInstanceOf(NonFiniteException.class)
                .hasMessageStartingWith("trainer: epoch=2, batch=3, step=9, rate=0.01: optimizer: a gradient holds NaN"
                        + " or infinity, or its norm overflows: norm=NaN");
        assertThat(trainer.step()).isEqualTo(8);
        assertThat(trainer.optimizer().stepCount()).isEqualTo(8);
        Trainer expected = clipped(0.3, false, Loss.crossEntropy(), at(8, Trainer::requestStop));
        expected.fit(EPOCHS);
        assertThat(expected.step()).isEqualTo(8);
        for (String name : expected.model().state().keySet()) {
            if (!name.contains("running")) {
                assertThat(trainer.model().state().get(name).toFloatArray())
                        .as(name)
                        .containsExactly(expected.model().state().get(name).toFloatArray());
            }
        }
    }

    /** Each gradient's own norm is read by the host, so the step runs eagerly, and the run is as good as any. */
    @Test
    void whatCannotBeRecordedRunsEagerly() {
        Module model = network(1);
        UpdateRules rules = UpdateRules.weightDecay(1e-3).clipEachNorm(1);
        Trainer trainer = Trainer.builder(
                        model,
                        new Adam(model.parameters(), rules),
                        Schedule.constant(0.01),
                        Loss.crossEntropy(),
                        TRAINING)
                .build();
        trainer.fit(EPOCHS);
        assertThat(trainer.step()).isEqualTo(EPOCHS * BATCHES);
        assertThat(trainer.history().epochs().getLast().loss())
                .isLessThan(trainer.history().epochs().getFirst().loss());
    }

    /** After the warm-up a step creates nothing: no descriptor, no plan, no block of memory. */
    @Test
    void warmStepsCreateNothing() {
        List<Object> seen = new ArrayList<>();
        Trainer trainer = trainer("adam", 1)
                .callback(at(EPOCHS * BATCHES - 2, t -> seen.add(cuda.statistics())))
                .callback(at(EPOCHS * BATCHES - 1, t -> seen.add(cuda.statistics())))
                .build();
        trainer.fit(EPOCHS);
        assertThat(seen).hasSize(2);
        assertThat(seen.get(1)).isEqualTo(seen.get(0));
    }
}
