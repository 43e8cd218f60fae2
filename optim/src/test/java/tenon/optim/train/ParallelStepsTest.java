package tenon.optim.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.engine.Generator;
import tenon.engine.NonFiniteException;
import tenon.engine.OutOfMemoryException;
import tenon.engine.Precision;
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
import tenon.optim.schedule.Schedule;

/** Several back-ends as devices that train together, against one that accumulates as many batches. */
@Timeout(60)
class ParallelStepsTest {
    private static final int EPOCHS = 2;
    /** 43 samples in batches of 8: six batches an epoch, the last of 3. */
    private static final JitterSource TRAINING = new JitterSource(43, 8, 5, true);

    @TempDir
    private Path folder;

    private final List<AutoCloseable> open = new ArrayList<>();

    /** Conv and dense weights have buckets of their own, small gradients share one. */
    @BeforeEach
    void smallBuckets() {
        System.setProperty("tenon.bucket.bytes", "256");
    }

    @AfterEach
    void close() throws Exception {
        System.clearProperty("tenon.bucket.bytes");
        for (AutoCloseable one : open.reversed()) {
            one.close();
        }
    }

    private <T extends AutoCloseable> T opened(T resource) {
        open.add(resource);
        return resource;
    }

    private static Module network(long seed) {
        Generator.current().manualSeed(seed);
        return Sequential.of(
                new Conv2d(2, 4, 3, 1, 1),
                new BatchNorm(4),
                ActivationLayer.relu(),
                new Dropout(0.25),
                new Flatten(),
                new Dropout(0.5),
                new Dense(64, JitterSource.CLASSES));
    }

    private static Replica replica(long seed) {
        Module model = network(seed);
        return new Replica(
                model,
                new Adam(model.parameters(), UpdateRules.weightDecay(1e-3).clipGlobalNorm(0.5)));
    }

    private static Trainer.Builder builder(Replica first) {
        return Trainer.builder(
                        first.model(),
                        first.optimizer(),
                        Schedule.cosine(0.02, 0, 12),
                        Loss.crossEntropy(0.1),
                        TRAINING)
                .seed(3);
    }

    /** Trains on so many devices, whose networks begin with other weights than the trainer's. */
    private Trainer train(
            IntFunction<Backend> backends,
            int devices,
            UnaryOperator<Trainer.Builder> options,
            Consumer<Replicas> see) {
        opened(Scope.open("run", opened(backends.apply(0))));
        Trainer.Builder builder = builder(replica(1));
        if (devices > 1) {
            List<Backend> further = IntStream.range(1, devices)
                    .mapToObj(i -> opened(backends.apply(i)))
                    .toList();
            Replicas replicas = opened(Replicas.open(further, () -> replica(99)));
            Trainer trainer = options.apply(builder.replicas(replicas)).build();
            trainer.fit(EPOCHS);
            see.accept(replicas);
            return trainer;
        }
        Trainer trainer = options.apply(builder).build();
        trainer.fit(EPOCHS);
        return trainer;
    }

    private static Map<String, List<Double>> bits(Module model, Map<String, Tensor> more, boolean statistics) {
        Map<String, Tensor> state = new LinkedHashMap<>(model.state());
        if (!statistics) {
            state.keySet().removeAll(model.namedBuffers().keySet());
        }
        state.putAll(more);
        Map<String, List<Double>> bits = new LinkedHashMap<>();
        state.forEach((name, tensor) ->
                bits.put(name, Arrays.stream(tensor.toDoubleArray()).boxed().toList()));
        return bits;
    }

    private static Map<String, List<Double>> trained(Trainer trainer) {
        return bits(trainer.model(), trainer.optimizer().state(), false);
    }

    private static List<EpochRecord> history(Trainer trainer) {
        return trainer.history().epochs().stream().map(EpochRecord::withoutTime).toList();
    }

    /**
     * Sums in the order of batches are the same bits, so the whole training is: dropout, clipping and the last update, in which some devices have no batch, included. Four devices leave two
     * idle at each epoch's end, five leave four.
     */
    @ParameterizedTest
    @CsvSource({"reference, 2", "reference, 4", "reference, 5", "cpu, 3"})
    void severalDevicesComputeTheBitsOfAccumulatedBatches(String kind, int devices) {
        IntFunction<Backend> backends = i -> kind.equals("cpu") ? CpuBackend.open(1) : ReferenceBackend.open();
        Trainer accumulating = train(backends, 1, options -> options.accumulate(devices), _ -> {});
        Trainer parallel = train(backends, devices, options -> options, replicas -> {
            for (Replica one : replicas.all()) {
                assertThat(one.optimizer().stepCount()).isPositive();
            }
        });
        assertThat(parallel.step()).isEqualTo(accumulating.step()).isEqualTo((long) EPOCHS * parallel.stepsPerEpoch());
        assertThat(trained(parallel)).isEqualTo(trained(accumulating));
        assertThat(history(parallel)).isEqualTo(history(accumulating));
    }

    @Test
    void afterTrainingAllDevicesHoldTheSameWeights() {
        Trainer[] trainer = new Trainer[1];
        List<Map<String, List<Double>>> others = new ArrayList<>();
        trainer[0] = train(
                _ -> ReferenceBackend.open(),
                3,
                options -> options,
                replicas -> replicas.all()
                        .forEach(one ->
                                others.add(bits(one.model(), one.optimizer().state(), false))));
        assertThat(others).hasSize(2).allSatisfy(one -> assertThat(one).isEqualTo(trained(trainer[0])));
    }

    @Test
    void batchesMayBeAccumulatedOnEachDevice() {
        Trainer accumulating = train(_ -> ReferenceBackend.open(), 1, options -> options.accumulate(4), _ -> {});
        Trainer parallel = train(_ -> ReferenceBackend.open(), 2, options -> options.accumulate(2), _ -> {});
        assertThat(parallel.stepsPerEpoch()).isEqualTo(2);
        Map<String, List<Double>> expected = trained(accumulating);
        // Batch norm takes the bias before it out: its gradients are rounding alone, which Adam makes large.
        expected.keySet().removeIf(name -> name.startsWith("0.bias"));
        Map<String, List<Double>> given = trained(parallel);
        given.keySet().retainAll(expected.keySet());
        given.forEach((name, values) -> {
            for (int i = 0; i < values.size(); i++) {
                assertThat(values.get(i)).as(name).isCloseTo(expected.get(name).get(i), within(1e-5));
            }
        });
    }

    /** Steps 1 and 4 are in the middle of an epoch and at the beginning of one. */
    @ParameterizedTest
    @CsvSource({"1", "4"})
    void aStoppedAndResumedRunEndsInTheSameBits(long stop) {
        Trainer whole = train(_ -> ReferenceBackend.open(), 2, options -> options, _ -> {});
        CheckpointStore store = CheckpointStore.open(folder, 2);
        train(
                _ -> ReferenceBackend.open(),
                2,
                options -> options.checkpoints(store).callback(new Callback() {
                    @Override
                    public void onStepEnd(Trainer trainer, Progress progress) {
                        if (progress.step() == stop) {
                            trainer.requestStop();
                        }
                    }
                }),
                _ -> {});
        opened(Scope.open("resumed", opened(ReferenceBackend.open())));
        Replicas replicas = opened(Replicas.open(List.of(opened(ReferenceBackend.open())), () -> replica(50)));
        Trainer resumed =
                builder(replica(51)).replicas(replicas).checkpoints(store).build();
        resumed.resume();
        assertThat(resumed.step()).isEqualTo(stop);
        resumed.fit(EPOCHS);
        assertThat(bits(resumed.model(), resumed.optimizer().state(), true))
                .isEqualTo(bits(whole.model(), whole.optimizer().state(), true));
        assertThat(history(resumed)).isEqualTo(history(whole));
    }

    @Test
    void aDeviceOutOfMemoryEndsTheStepOnAllAndNothingIsUpdated() {
        opened(Scope.open("run", opened(ReferenceBackend.open())));
        Replica first = replica(1);
        // Enough for the network and its optimizer, not for a batch of it.
        Backend small = opened(ReferenceBackend.open(8_000));
        Replicas replicas = opened(Replicas.open(List.of(opened(ReferenceBackend.open()), small), () -> replica(1)));
        Trainer trainer = builder(first).replicas(replicas).build();
        Map<String, List<Double>> before = bits(first.model(), first.optimizer().state(), false);
        assertThatThrownBy(() -> trainer.fit(1)).isInstanceOf(OutOfMemoryException.class);
        assertThat(bits(first.model(), first.optimizer().state(), false)).isEqualTo(before);
        assertThat(trainer.step()).isZero();
    }

    @Test
    void aLossThatIsNotFiniteNamesStepAndDeviceAndNothingIsUpdated() {
        opened(Scope.open("run", opened(ReferenceBackend.open())));
        Replica first = replica(1);
        Replicas replicas = opened(Replicas.open(List.of(opened(ReferenceBackend.open())), () -> replica(1)));
        Trainer trainer = builder(first)
                .replicas(replicas)
                .callback(new Callback() {
                    @Override
                    public void onStepEnd(Trainer t, Progress progress) {
                        if (progress.step() == 2) {
                            replicas.all()
                                    .getFirst()
                                    .model()
                                    .parameters()
                                    .getLast()
                                    .value()
                                    .fill(Double.NaN);
                        }
                    }
                })
                .build();
        assertThatThrownBy(() -> trainer.fit(1))
                .isInstanceOf(NonFiniteException.class)
                .hasMessageContaining("step=3")
                .hasMessageContaining("device=reference");
        assertThat(trainer.step()).isEqualTo(2);
        assertThat(first.optimizer().stepCount()).isEqualTo(2);
    }

    /** From the middle of the first epoch to the middle of the second. */
    @Test
    void aLayerThatACallbackFreezesForAWhileIsFrozenOnAllDevices() {
        UnaryOperator<Trainer.Builder> freezing = options -> options.callback(new Callback() {
            @Override
            public void onStepEnd(Trainer trainer, Progress progress) {
                boolean frozen = progress.step() >= 1 && progress.step() < 4;
                trainer.model().parameters().getFirst().setTrainable(!frozen);
            }
        });
        Trainer accumulating =
                train(_ -> ReferenceBackend.open(), 1, options -> freezing.apply(options.accumulate(2)), _ -> {});
        Trainer parallel = train(_ -> ReferenceBackend.open(), 2, freezing, _ -> {});
        assertThat(trained(parallel)).isEqualTo(trained(accumulating));
    }

    @Test
    void closedReplicasAreRefused() {
        opened(Scope.open("run", opened(ReferenceBackend.open())));
        Replicas replicas = Replicas.open(List.of(opened(ReferenceBackend.open())), () -> replica(1));
        Trainer trainer = builder(replica(1)).replicas(replicas).build();
        replicas.close();
        assertThat(trainer.stepsPerEpoch()).isEqualTo(3);
        assertThatThrownBy(() -> trainer.fit(1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("trainer: the replicas must be open while it trains: they are closed");
    }

    @Test
    void aReplicaThatIsBuiltOtherwiseIsRefused() {
        opened(Scope.open("run", opened(ReferenceBackend.open())));
        assertRefused(() -> {
            Module other = Sequential.of(new Flatten(), new Dense(32, JitterSource.CLASSES));
            return new Replica(other, new Sgd(other.parameters(), UpdateRules.PLAIN));
        });
        assertRefused(() -> {
            Module same = network(1);
            return new Replica(same, new Sgd(same.parameters().reversed(), UpdateRules.PLAIN));
        });
        assertRefused(() -> {
            Module same = network(1);
            same.computeIn(Precision.BF16);
            return new Replica(same, new Sgd(same.parameters(), UpdateRules.PLAIN));
        });
    }

    private void assertRefused(Supplier<Replica> make) {
        Module model = network(1);
        Replicas replicas = opened(Replicas.open(List.of(opened(ReferenceBackend.open())), make));
        Trainer trainer = builder(new Replica(model, new Sgd(model.parameters(), UpdateRules.PLAIN)))
                .replicas(replicas)
                .build();
        assertThatThrownBy(() -> trainer.fit(1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a replica must be built as the trainer's network");
    }
}
