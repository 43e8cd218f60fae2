package tenon.optim.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
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
import org.junit.jupiter.params.provider.ValueSource;
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
import tenon.optim.Optimizer;
import tenon.optim.RmsProp;
import tenon.optim.Sgd;
import tenon.optim.UpdateRules;
import tenon.optim.checkpoint.CheckpointException;
import tenon.optim.checkpoint.CheckpointStore;
import tenon.optim.checkpoint.FaultyFiles;
import tenon.optim.metrics.Evaluation;
import tenon.optim.schedule.Schedule;

class TrainerTest {
    private static final int EPOCHS = 3;
    private static final int BATCHES = 6; // 43 samples in batches of 8: the last has 3
    private static final JitterSource TRAINING = new JitterSource(43, 8, 5, true);
    private static final JitterSource VALIDATION = new JitterSource(20, 8, 6, false);

    @TempDir
    private Path folder;

    private Backend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        backend = ReferenceBackend.open();
        scope = Scope.open("run", backend);
    }

    @AfterEach
    void close() {
        scope.close();
        backend.close();
    }

    private static Module network(long seed) {
        Generator.current().manualSeed(seed);
        return Sequential.of(
                new Conv2d(2, 4, 3, 1, 1),
                new BatchNorm(4),
                ActivationLayer.relu(),
                new Dropout(0.25),
                new Flatten(),
                new Dense(64, 8),
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

    /** Everything that a run leaves behind: bits of the state, and the history without times. */
    private record Outcome(Map<String, List<Double>> tensors, List<EpochRecord> history) {
        static Outcome of(Trainer trainer) {
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
            return new Outcome(
                    tensors,
                    trainer.history().epochs().stream()
                            .map(EpochRecord::withoutTime)
                            .toList());
        }
    }

    /** A trainer over a network of other weights each time: resume has to replace all of them. */
    private static Trainer.Builder trainer(String optimizer, long modelSeed) {
        Module model = network(modelSeed);
        Schedule schedule = Schedule.cosine(0.02, 0.001, EPOCHS * BATCHES).warmUp(4, 0.001);
        return Trainer.builder(model, optimizer(optimizer, model), schedule, Loss.crossEntropy(0.1), TRAINING)
                .validation(VALIDATION)
                .seed(77);
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

    /** Stopped at a first batch, in the middle, before an epoch's short last batch, after it, and more than once. */
    @ParameterizedTest
    @CsvSource({"sgd, 1, 9", "sgd, 5, 6", "sgd, 12, 17", "adam, 8, 14", "adam, 6, 13", "rmsprop, 3, 18"})
    void aStoppedAndResumedRunEndsInTheSameBits(String optimizer, long firstStop, long secondStop) {
        Trainer whole = trainer(optimizer, 1).build();
        assertThat(whole.fit(EPOCHS).epochs()).hasSize(EPOCHS);
        Outcome expected = Outcome.of(whole);
        assertThat(whole.step()).isEqualTo(EPOCHS * BATCHES);

        CheckpointStore store = CheckpointStore.open(folder, 2);
        Trainer first = trainer(optimizer, 1)
                .checkpoints(store)
                .callback(at(firstStop, Trainer::requestStop))
                .build();
        first.fit(EPOCHS);
        assertThat(first.stopReason()).contains("stop requested");
        assertThat(first.step()).isEqualTo(firstStop);

        Trainer second = trainer(optimizer, 2)
                .checkpoints(store)
                .callback(at(secondStop, Trainer::requestStop))
                .build();
        assertThat(second.resume()).isPresent();
        assertThat(second.step()).isEqualTo(firstStop);
        second.fit(EPOCHS);
        assertThat(second.step()).isEqualTo(secondStop);

        Trainer third = trainer(optimizer, 3).checkpoints(store).build();
        third.resume();
        third.fit(EPOCHS);
        assertThat(third.stopReason()).isEmpty();
        assertThat(Outcome.of(third)).isEqualTo(expected);
    }

    /** The CPU back-end has parallel kernels of its own: they must give the same bits from run to run, too. */
    @Test
    void aResumedRunEndsInTheSameBitsOnTheCpuBackend() {
        scope.close();
        backend.close();
        backend = CpuBackend.open(2);
        scope = Scope.open("run", backend);
        aStoppedAndResumedRunEndsInTheSameBits("adam", 4, 11);
    }

    /** The process dies between two steps; what counts is the last checkpoint. */
    @ParameterizedTest
    @ValueSource(longs = {3, 7, 11, 15})
    void aCrashedRunResumesFromItsLastCheckpoint(long crash) {
        Trainer whole = trainer("adam", 1).build();
        whole.fit(EPOCHS);
        CheckpointStore store = CheckpointStore.open(folder, 1);
        Trainer first = trainer("adam", 1)
                .checkpoints(store, 1, 2)
                .callback(at(crash, _ -> {
                    throw new IllegalStateException("crash");
                }))
                .build();
        assertThatThrownBy(() -> first.fit(EPOCHS)).hasMessage("crash");

        Trainer second = trainer("adam", 9).checkpoints(store, 1, 2).build();
        second.resume();
        assertThat(second.step()).isEqualTo(crash - 1);
        second.fit(EPOCHS);
        assertThat(Outcome.of(second)).isEqualTo(Outcome.of(whole));
    }

    /** The disk is full for a moment, in the middle of an epoch and at its end: the run fails, nothing is lost, and it can go on. */
    @ParameterizedTest
    @ValueSource(ints = {3, 25, 60, 120, 160})
    void goesOnAfterACheckpointThatCouldNotBeWritten(int failAt) {
        Trainer whole = trainer("adam", 1).build();
        whole.fit(EPOCHS);
        CheckpointStore store = new CheckpointStore(folder, 2, new FaultyFiles(failAt, FaultyFiles.Fault.ERROR));
        Trainer trainer = trainer("adam", 1).checkpoints(store, 1, 4).build();
        assertThatThrownBy(() -> trainer.fit(EPOCHS))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("No space left on device");
        trainer.fit(EPOCHS);
        assertThat(Outcome.of(trainer)).isEqualTo(Outcome.of(whole));
        Trainer resumed = trainer("adam", 2).checkpoints(store).build();
        resumed.resume();
        assertThat(Outcome.of(resumed)).isEqualTo(Outcome.of(whole));
    }

    @Test
    void learnsAndReportsProgress() {
        List<Progress> seen = new ArrayList<>();
        List<String> calls = new ArrayList<>();
        Trainer trainer = trainer("adam", 1)
                .callback(new Callback() {
                    @Override
                    public void onTrainBegin(Trainer t, int epochs) {
                        calls.add("begin " + epochs);
                    }

                    @Override
                    public void onEpochBegin(Trainer t, int epoch) {
                        calls.add("epoch " + epoch);
                    }

                    @Override
                    public void onStepEnd(Trainer t, Progress progress) {
                        seen.add(progress);
                    }

                    @Override
                    public void onEpochEnd(Trainer t, EpochRecord epoch) {
                        calls.add("end " + epoch.epoch());
                    }

                    @Override
                    public void onTrainEnd(Trainer t) {
                        calls.add("done");
                    }
                })
                .build();
        double before = trainer.evaluate(VALIDATION).loss();
        History history = trainer.fit(30);
        assertThat(calls.subList(0, 3)).containsExactly("begin 30", "epoch 1", "end 1");
        assertThat(calls.getLast()).isEqualTo("done");
        assertThat(seen).hasSize(30 * BATCHES);
        Progress last = seen.getLast();
        EpochRecord epoch = history.epochs().getLast();
        assertThat(last.batch()).isEqualTo(BATCHES).isEqualTo(last.batches());
        assertThat(last.samples()).isEqualTo(43).isEqualTo(last.sampleCount());
        assertThat(last.step()).isEqualTo(30 * BATCHES);
        assertThat(last.imagesPerSecond()).isPositive();
        assertThat(last.loss()).isEqualTo(epoch.loss());
        assertThat(last.accuracy()).isEqualTo(epoch.accuracy());

        Evaluation evaluation = trainer.evaluate(VALIDATION);
        assertThat(evaluation.loss()).isLessThan(before);
        assertThat(evaluation.loss()).isEqualTo(epoch.validationLoss());
        assertThat(evaluation.rank1()).isEqualTo(epoch.validationAccuracy()).isGreaterThan(0.6);
        assertThat(evaluation.rank5()).isOne();
        assertThat(evaluation.samples()).isEqualTo(20);
        long hits = 0;
        for (int c = 0; c < JitterSource.CLASSES; c++) {
            hits += evaluation.confusion().count(c, c);
        }
        assertThat(hits / 20.0).isEqualTo(evaluation.rank1());
    }

    @Test
    void savesEverySoManyEpochsAndAtTheEnd() {
        CheckpointStore store = CheckpointStore.open(folder, 9);
        trainer("sgd", 1).checkpoints(store, 3, 0).build().fit(7);
        assertThat(store.list().stream().map(path -> path.getFileName().toString()))
                .containsExactlyInAnyOrder("checkpoint-3-18", "checkpoint-6-36", "checkpoint-7-42");
    }

    /** Weights and running statistics come back bit by bit, and with them what validation said at the end of the epoch. */
    @Test
    void aResumedModelMeasuresWhatWasRecorded() {
        CheckpointStore store = CheckpointStore.open(folder, 1);
        trainer("sgd", 1).checkpoints(store).build().fit(2);
        Trainer resumed = trainer("sgd", 2).checkpoints(store).build();
        double before = resumed.evaluate(VALIDATION).loss();
        resumed.resume();
        Evaluation measured = resumed.evaluate(VALIDATION);
        EpochRecord recorded = resumed.history().epochs().getLast();
        assertThat(recorded.epoch()).isEqualTo(2);
        assertThat(measured.loss()).isEqualTo(recorded.validationLoss()).isNotEqualTo(before);
        assertThat(measured.rank1()).isEqualTo(recorded.validationAccuracy());
        assertThat(measured.rank5()).isEqualTo(recorded.validationAccuracy5());
    }

    @Test
    void evaluationChangesNothing() {
        Trainer trainer = trainer("sgd", 1).build();
        trainer.fit(1);
        Outcome before = Outcome.of(trainer);
        List<Long> keys = new ArrayList<>();
        Evaluator.evaluate(trainer.model(), Loss.crossEntropy(), VALIDATION, (batch, logits) -> {
            assertThat(logits.requiresGrad()).isFalse();
            for (long key : batch.keys()) {
                keys.add(key);
            }
        });
        assertThat(keys).hasSize(20).doesNotHaveDuplicates();
        assertThat(trainer.model().isTraining()).isTrue();
        assertThat(Outcome.of(trainer)).isEqualTo(before);
    }

    @Test
    void memoryStaysFlat() {
        long[] bytes = new long[2];
        int[] tensors = new int[2];
        Callback meter = new Callback() {
            @Override
            public void onEpochEnd(Trainer trainer, EpochRecord epoch) {
                if (epoch.epoch() == 2 || epoch.epoch() == 10) {
                    var statistics = backend.allocator().statistics();
                    bytes[epoch.epoch() == 2 ? 0 : 1] = statistics.liveBytes() + statistics.cachedBytes();
                    tensors[epoch.epoch() == 2 ? 0 : 1] = scope.tensorCount();
                }
            }
        };
        trainer("adam", 1).callback(meter).build().fit(10);
        assertThat(bytes[0]).isPositive();
        assertThat(bytes[1]).isEqualTo(bytes[0]);
        assertThat(tensors[1]).isEqualTo(tensors[0]);
    }

    @Test
    void aNonFiniteLossNamesEpochAndStepAndLeavesTheParameters() {
        Module model = network(1);
        Loss explodes = new Loss() {
            private int calls;

            @Override
            public Tensor apply(Tensor logits, Tensor target) {
                Tensor loss = Loss.crossEntropy().apply(logits, target);
                if (++calls == 9) {
                    loss.fill(Double.NaN);
                }
                return loss;
            }
        };
        Trainer trainer = Trainer.builder(model, optimizer("adam", model), Schedule.constant(0.01), explodes, TRAINING)
                .build();
        assertThatThrownBy(() -> trainer.fit(EPOCHS))
                .isInstanceOf(NonFiniteException.class)
                .hasMessageContaining("epoch=2, batch=3, step=9, rate=0.01, loss=NaN");
        assertThat(trainer.step()).isEqualTo(8);
    }

    @Test
    void refusesCheckpointsOfOtherRuns() {
        CheckpointStore store = CheckpointStore.open(folder, 1);
        trainer("adam", 1)
                .checkpoints(store)
                .callback(at(8, Trainer::requestStop))
                .build()
                .fit(EPOCHS);

        assertThatThrownBy(() -> trainer("adam", 1).checkpoints(store).build().fit(1))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("must not mix its checkpoints");
        assertThatThrownBy(() -> trainer("sgd", 1).checkpoints(store).build().resume())
                .hasMessageContaining("checkpoint=Adam, trainer=Sgd");
        assertThatThrownBy(() ->
                        trainer("adam", 1).seed(78).checkpoints(store).build().resume())
                .hasMessageContaining("checkpoint=77, trainer=78");
        Module model = network(1);
        Trainer otherBatches = Trainer.builder(
                        model,
                        optimizer("adam", model),
                        Schedule.constant(0.1),
                        Loss.crossEntropy(),
                        new JitterSource(43, 7, 5, true))
                .seed(77)
                .checkpoints(store)
                .build();
        assertThatThrownBy(otherBatches::resume).hasMessageContaining("checkpoint=6 of 8, trainer=7 of 7");
        Module small = Sequential.of(new Flatten(), new Dense(32, 3));
        Trainer otherModel = Trainer.builder(
                        small, optimizer("adam", small), Schedule.constant(0.1), Loss.crossEntropy(), TRAINING)
                .seed(77)
                .checkpoints(store)
                .build();
        assertThatThrownBy(otherModel::resume).hasMessageContaining("missing=[").hasMessageContaining("another model?");
    }

    @Test
    void marksTheBestCheckpointAndWritesTheHistory() throws IOException {
        CheckpointStore store = CheckpointStore.open(folder.resolve("checkpoints"), 1);
        Trainer trainer = trainer("adam", 1)
                .checkpoints(store)
                .bestBy(Monitor.of("val_acc"))
                .callback(new HistoryWriter(folder))
                .manifest(
                        RunManifest.collect(List.of("train", "--seed=77"), "fp32", 77, Map.of("backend", "reference")))
                .build();
        History history = trainer.fit(8);
        double[] accuracies = history.values(Metric.VALIDATION_ACCURACY);
        int best = 0;
        for (int i = 1; i < accuracies.length; i++) {
            best = accuracies[i] > accuracies[best] ? i : best;
        }
        assertThat(store.best().orElseThrow().getFileName())
                .hasToString("checkpoint-" + (best + 1) + "-" + (best + 1) * BATCHES);
        assertThat(Files.readAllLines(folder.resolve("history.csv"))).hasSize(9);
        assertThat(Files.readString(folder.resolve("history.json"))).contains("\"val_acc\":[");
        assertThat(Files.readString(store.recover().checkpoint().orElseThrow().resolve("state.json")))
                .contains("\"command\" : [ \"train\", \"--seed=77\" ]");
    }
}
