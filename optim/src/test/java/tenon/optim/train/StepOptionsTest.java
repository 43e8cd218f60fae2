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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.engine.Generator;
import tenon.engine.NonFiniteException;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.layers.ActivationLayer;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dense;
import tenon.layers.Dropout;
import tenon.layers.Flatten;
import tenon.layers.Module;
import tenon.layers.Sequential;
import tenon.optim.Adam;
import tenon.optim.Sgd;
import tenon.optim.UpdateRules;
import tenon.optim.checkpoint.CheckpointStore;
import tenon.optim.checkpoint.ModelFile;
import tenon.optim.schedule.Schedule;

/** Accumulated gradients and averaged weights: what they compute, and that a stopped run goes on with them in the same bits. */
class StepOptionsTest {
    private static final int EPOCHS = 3;
    private static final JitterSource VALIDATION = new JitterSource(20, 8, 6, false);

    @TempDir
    private Path folder;

    private Backend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        use(ReferenceBackend.open());
    }

    private void use(Backend newBackend) {
        if (backend != null) {
            close();
        }
        backend = newBackend;
        scope = Scope.open("run", backend);
    }

    @AfterEach
    void close() {
        scope.close();
        backend.close();
    }

    private static Module plain(long seed) {
        Generator.current().manualSeed(seed);
        return Sequential.of(
                new Conv2d(2, 4, 3, 1, 1), ActivationLayer.relu(), new Flatten(), new Dense(64, JitterSource.CLASSES));
    }

    private static Module network(long seed) {
        Generator.current().manualSeed(seed);
        return Sequential.of(
                new Conv2d(2, 4, 3, 1, 1),
                new BatchNorm(4),
                ActivationLayer.relu(),
                new Flatten(),
                new Dropout(0.5),
                new Dense(64, JitterSource.CLASSES));
    }

    private static Map<String, List<Double>> bits(Trainer trainer, WeightAverage average) {
        Map<String, List<Double>> bits = new LinkedHashMap<>();
        Consumer<Map<String, Tensor>> collect = state -> state.forEach((name, tensor) -> {
            List<Double> values = new ArrayList<>();
            for (double value : tensor.toDoubleArray()) {
                values.add(value);
            }
            bits.merge(name, values, (_, b) -> b);
        });
        collect.accept(trainer.model().state());
        collect.accept(trainer.optimizer().state());
        if (average != null) {
            average.tensors().forEach((name, tensor) -> collect.accept(Map.of("average of " + name, tensor)));
        }
        return bits;
    }

    /** 43 samples: six batches of 8, the last of 3; in fours that is one update of 32 and one of 11. */
    @Test
    void accumulatedBatchesMakeTheUpdateOfOneLargeBatch() {
        Module one = plain(1);
        Module parts = plain(1);
        Trainer large = trainer(one, new JitterSource(43, 32, 5, true)).build();
        Trainer small =
                trainer(parts, new JitterSource(43, 8, 5, true)).accumulate(4).build();
        large.fit(EPOCHS);
        small.fit(EPOCHS);
        assertThat(small.step()).isEqualTo(large.step()).isEqualTo(2 * EPOCHS);
        assertThat(small.stepsPerEpoch()).isEqualTo(2);
        Map<String, List<Double>> expected = bits(large, null);
        bits(small, null).forEach((name, values) -> {
            for (int i = 0; i < values.size(); i++) {
                assertThat(values.get(i)).as(name).isCloseTo(expected.get(name).get(i), within(1e-6));
            }
        });
        for (int epoch = 0; epoch < EPOCHS; epoch++) {
            EpochRecord a = large.history().epochs().get(epoch);
            EpochRecord b = small.history().epochs().get(epoch);
            assertThat(b.loss()).isCloseTo(a.loss(), within(1e-6));
            assertThat(b.accuracy()).isEqualTo(a.accuracy());
        }
    }

    private static Trainer.Builder trainer(Module model, JitterSource data) {
        return Trainer.builder(
                model,
                new Sgd(model.parameters(), 0.9, false, UpdateRules.weightDecay(1e-3)),
                Schedule.constant(0.05),
                Loss.crossEntropy(),
                data);
    }

    @ParameterizedTest
    @CsvSource({"reference, 1, 4", "reference, 2, 3", "cpu, 3, 5"})
    void aStoppedAndResumedRunEndsInTheSameBits(String name, long firstStop, long secondStop) {
        if (name.equals("cpu")) {
            use(CpuBackend.open(2));
        }
        Module model = network(1);
        WeightAverage average = new WeightAverage(model, 0.9);
        Trainer whole = options(model, average).build();
        whole.fit(EPOCHS);
        assertThat(whole.step()).isEqualTo(3 * EPOCHS);
        Map<String, List<Double>> expected = bits(whole, average);

        CheckpointStore store = CheckpointStore.open(folder, 2);
        long[] stops = {firstStop, secondStop, Long.MAX_VALUE};
        for (int run = 0; run < 3; run++) {
            Module again = network(10 + run);
            WeightAverage itsAverage = new WeightAverage(again, 0.9);
            long stop = stops[run];
            Trainer trainer = options(run == 0 ? copy(network(1), again) : again, itsAverage)
                    .checkpoints(store)
                    .callback(new Callback() {
                        @Override
                        public void onStepEnd(Trainer t, Progress progress) {
                            if (progress.step() == stop) {
                                t.requestStop();
                            }
                        }
                    })
                    .build();
            if (run == 0) {
                itsAverage
                        .tensors()
                        .forEach((key, tensor) -> tensor.copyFrom(again.state().get(key)));
            } else {
                trainer.resume();
            }
            trainer.fit(EPOCHS);
            if (run == 2) {
                assertThat(bits(trainer, itsAverage)).isEqualTo(expected);
                assertThat(trainer.history().epochs().stream().map(EpochRecord::withoutTime))
                        .isEqualTo(whole.history().epochs().stream()
                                .map(EpochRecord::withoutTime)
                                .toList());
            } else {
                assertThat(trainer.step()).isEqualTo(stop);
            }
        }
    }

    private static Module copy(Module from, Module to) {
        to.state().forEach((name, tensor) -> tensor.copyFrom(from.state().get(name)));
        return to;
    }

    /** 43 samples in batches of 8, two to an update: three updates an epoch. */
    private static Trainer.Builder options(Module model, WeightAverage average) {
        return Trainer.builder(
                        model,
                        new Adam(
                                model.parameters(),
                                UpdateRules.weightDecay(1e-3).clipGlobalNorm(0.5)),
                        Schedule.cosine(0.02, 0, 9),
                        Loss.crossEntropy(0.1),
                        new JitterSource(43, 8, 5, true))
                .validation(VALIDATION)
                .seed(3)
                .accumulate(2)
                .average(average);
    }

    @ParameterizedTest
    @CsvSource({"reference", "cpu"})
    void theAverageFollowsItsFormulaAndIsWhatValidationMeasuresAndCheckpointsOffer(String name) {
        if (name.equals("cpu")) {
            use(CpuBackend.open(2));
        }
        Module model = network(1);
        WeightAverage average = new WeightAverage(model, 0.5);
        Map<String, double[]> expected = new LinkedHashMap<>();
        model.state().forEach((key, tensor) -> expected.put(key, tensor.toDoubleArray()));
        CheckpointStore store = CheckpointStore.open(folder, 2);
        Trainer trainer = trainer(model, new JitterSource(43, 8, 5, true))
                .validation(VALIDATION)
                .average(average)
                .checkpoints(store)
                .callback(new Callback() {
                    @Override
                    public void onStepEnd(Trainer t, Progress progress) {
                        double d = Math.min(0.5, (1.0 + progress.step()) / (10 + progress.step()));
                        model.state().forEach((key, tensor) -> {
                            double[] mean = expected.get(key);
                            double[] now = tensor.toDoubleArray();
                            for (int i = 0; i < mean.length; i++) {
                                mean[i] = d * mean[i] + (1 - d) * now[i];
                            }
                        });
                    }
                })
                .build();
        trainer.fit(2);
        average.tensors()
                .forEach((key, tensor) ->
                        assertThat(tensor.toDoubleArray()).as(key).containsExactly(expected.get(key), within(2e-6)));

        Module saved = network(7);
        ModelFile.load(store.recover().checkpoint().orElseThrow(), saved);
        Trainer other = trainer(saved, new JitterSource(43, 8, 5, true)).build();
        EpochRecord last = trainer.history().epochs().getLast();
        assertThat(other.evaluate(VALIDATION).loss()).isEqualTo(last.validationLoss());
        assertThat(trainer.evaluate(VALIDATION).loss()).isEqualTo(last.validationLoss());
    }

    @Test
    void weightsThatAreNotFiniteAreNotSaved() {
        CheckpointStore store = CheckpointStore.open(folder, 1);
        Module model = network(1);
        Trainer trainer = trainer(model, new JitterSource(43, 8, 5, true))
                .checkpoints(store, 1, 1)
                .callback(new Callback() {
                    @Override
                    public void onStepEnd(Trainer t, Progress progress) {
                        if (progress.step() == 4) {
                            model.parameters().getFirst().value().fill(Double.POSITIVE_INFINITY);
                        }
                    }
                })
                .build();
        assertThatThrownBy(() -> trainer.fit(2))
                .isInstanceOf(NonFiniteException.class)
                .hasMessageContaining("'0.weight' holds NaN or infinity after step=4, epoch=1");
        assertThat(store.recover().checkpoint().orElseThrow().getFileName()).hasToString("checkpoint-0-3");
    }

    @Test
    void aNormThatIsNotFiniteNamesTheStep() {
        Module model = plain(1);
        Trainer trainer = Trainer.builder(
                        model,
                        new Sgd(model.parameters(), UpdateRules.PLAIN.clipGlobalNorm(1)),
                        Schedule.constant(0.1),
                        (logits, target) -> {
                            Tensor loss = Loss.crossEntropy().apply(logits, target);
                            model.parameters().getFirst().value().gradBuffer().fill(Double.NaN);
                            model.parameters().getFirst().value().markGradFilled();
                            return loss;
                        },
                        new JitterSource(43, 8, 5, true))
                .build();
        assertThatThrownBy(() -> trainer.fit(1))
                .isInstanceOf(NonFiniteException.class)
                .hasMessageStartingWith("trainer: epoch=1, batch=1, step=1, rate=0.1: optimizer: a gradient holds NaN");
    }
}
