package tenon.optim.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.engine.Generator;
import tenon.engine.Scope;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cuda.CudaBackend;
import tenon.engine.backend.cuda.CudaOptions;
import tenon.engine.trace.TracedBackend;
import tenon.layers.ActivationLayer;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dense;
import tenon.layers.Dropout;
import tenon.layers.Flatten;
import tenon.layers.Module;
import tenon.layers.Sequential;
import tenon.optim.Sgd;
import tenon.optim.UpdateRules;
import tenon.optim.schedule.Schedule;
import tenon.simulator.SimulatedDevice;
import tenon.simulator.Simulator;

/** Training on two simulated GPUs. */
@Timeout(120)
class CudaParallelStepsTest {
    /** Four batches of 8, the last of 3: two updates an epoch. */
    private static final JitterSource TRAINING = new JitterSource(27, 8, 5, true);

    private Simulator simulator;

    @BeforeEach
    void open() {
        SimulatedDevice.why().ifPresent(Assumptions::abort);
        System.setProperty("tenon.cuda.path", SimulatedDevice.folder().toString());
        simulator = new Simulator(SimulatedDevice.folder());
        simulator.reset();
        simulator.devices(2);
        System.setProperty("tenon.bucket.bytes", "256");
    }

    @AfterEach
    void wholeBuckets() {
        System.clearProperty("tenon.bucket.bytes");
        System.clearProperty("tenon.cuda.collectives");
    }

    private static Replica replica() {
        return replica(JitterSource.CLASSES);
    }

    private static Replica replica(int classes) {
        Generator.current().manualSeed(4);
        Module model = Sequential.of(
                new Conv2d(2, 4, 3, 1, 1),
                new BatchNorm(4),
                ActivationLayer.relu(),
                new Flatten(),
                new Dropout(0.5),
                new Dense(64, classes));
        return new Replica(model, new Sgd(model.parameters(), 0.9, false, UpdateRules.PLAIN));
    }

    private static Backend device(int index) {
        return CudaBackend.open(CudaOptions.defaults().withDevice(index));
    }

    /** A training that several tests begin. */
    private static final class Run implements AutoCloseable {
        private final Backend first = device(0);
        private final Backend second = device(1);
        private final Scope scope = Scope.open("run", first);
        private final Replica replica = replica();
        private final Replicas others = Replicas.open(List.of(second), CudaParallelStepsTest::replica);

        private final Trainer trainer;

        Run() {
            this(options -> options);
        }

        Run(UnaryOperator<Trainer.Builder> options) {
            trainer = options.apply(trainer(replica).replicas(others)).build();
        }

        @Override
        public void close() {
            others.close();
            scope.close();
            second.close();
            first.close();
        }
    }

    private static Trainer.Builder trainer(Replica replica) {
        return Trainer.builder(
                        replica.model(), replica.optimizer(), Schedule.constant(0.05), Loss.crossEntropy(), TRAINING)
                .seed(8);
    }

    private static Map<String, List<Double>> weights(Module model) {
        Map<String, List<Double>> weights = new LinkedHashMap<>();
        model.namedParameters()
                .forEach((name, parameter) -> weights.put(
                        name,
                        Arrays.stream(parameter.value().toDoubleArray()).boxed().toList()));
        return weights;
    }

    @Test
    void twoGpusComputeWhatOneAccumulatesAndLeaveNothingBehind() {
        Map<String, Long> before = simulator.live();
        Map<String, List<Double>> expected;
        try (Backend one = device(0);
                var _ = Scope.open("run", one)) {
            Replica replica = replica();
            trainer(replica).accumulate(2).build().fit(2);
            expected = weights(replica.model());
        }
        try (Run run = new Run()) {
            run.trainer.fit(2);
            assertThat(weights(run.replica.model())).isEqualTo(expected);
            assertThat(weights(run.others.all().getFirst().model())).isEqualTo(expected);
        }
        assertThat(simulator.violations()).isEmpty();
        assertThat(simulator.live()).isEqualTo(before);
    }

    /** The dense layer's gradients are summed while those of the layers before it are computed: not in the first step, which shows the order, but in the second. */
    @ParameterizedTest
    @CsvSource({
        "nccl, ncclAllReduce, 256, true",
        "peer, cuMemcpyPeerAsync, 256, true",
        "nccl, ncclAllReduce, 10000, false"
    })
    void sumsBeginBeforeTheLastGradientIsComputed(String way, String call, String bucketBytes, boolean early) {
        System.setProperty("tenon.cuda.collectives", way);
        System.setProperty("tenon.bucket.bytes", bucketBytes);
        List<Long> sumsBeforeLastGradient = new ArrayList<>();
        Thread trains = Thread.currentThread();
        long[] before = new long[1];
        try (Backend device = device(0);
                Backend second = device(1)) {
            Backend first = TracedBackend.of(device, ran -> {
                if (Thread.currentThread() != trains) {
                    return;
                }
                String kernel = ran.kernel().name();
                if (kernel.equals("losses.softmaxCrossEntropyBackward")) {
                    before[0] = simulator.calls(call);
                } else if (kernel.equals("convolution.backwardWeight")) {
                    sumsBeforeLastGradient.add(simulator.calls(call) - before[0]);
                }
            });
            try (var _ = Scope.open("run", first);
                    Replicas others = Replicas.open(List.of(second), CudaParallelStepsTest::replica)) {
                trainer(replica()).replicas(others).build().fit(1);
            }
        }
        assertThat(sumsBeforeLastGradient).hasSize(2);
        assertThat(sumsBeforeLastGradient.get(0)).isZero();
        assertThat(sumsBeforeLastGradient.get(1) > 0).isEqualTo(early);
    }

    @Test
    void laterEpochsTakeNoMemory() {
        List<Long> allocations = new ArrayList<>();
        try (Run run = new Run(options -> options.callback(new Callback() {
            @Override
            public void onEpochEnd(Trainer trainer, EpochRecord record) {
                allocations.add(simulator.calls("cuMemAlloc") + simulator.calls("cuMemHostAlloc"));
            }
        }))) {
            run.trainer.fit(4);
        }
        assertThat(allocations.getFirst()).isPositive();
        assertThat(allocations.subList(1, 4)).containsOnly(allocations.get(1));
    }

    /** The data has a class more than the network. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aClassIndexOutOfRangeIsNamedAndNothingIsUpdated(boolean allowNonFiniteLoss) {
        int classes = JitterSource.CLASSES - 1;
        try (Backend first = device(0);
                Backend second = device(1);
                var _ = Scope.open("run", first);
                Replicas others = Replicas.open(List.of(second), () -> replica(classes))) {
            Replica replica = replica(classes);
            Map<String, List<Double>> before = weights(replica.model());
            Trainer.Builder builder = trainer(replica).replicas(others);
            Trainer trainer = (allowNonFiniteLoss ? builder.allowNonFiniteLoss() : builder).build();
            int[] labels = TRAINING.iterate(0, 0).next().target().toIntArray();
            int row = Arrays.stream(labels).boxed().toList().indexOf(classes);
            assertThatThrownBy(() -> trainer.fit(1))
                    .isInstanceOf(ShapeException.class)
                    .hasMessage("trainer: epoch=1, batch=1, step=1, rate=0.05, device=cuda:0: class indices must lie"
                            + " in [0, 2): row=" + row + ", index=2");
            assertThat(weights(replica.model())).isEqualTo(before);
        }
        assertThat(simulator.violations()).isEmpty();
    }

    /** Whichever of the two devices makes the call, the step ends on both, and training goes on as if nothing had been. */
    @ParameterizedTest
    @CsvSource({"cuMemAlloc, 2", "cuLaunchKernel, 701"})
    void aCallThatFailsEndsTheStepOnBothDevicesAndUpdatesNothing(String call, int status) {
        Map<String, Long> before = simulator.live();
        Map<String, List<Double>> expected;
        long calls;
        try (Run whole = new Run()) {
            simulator.clearCalls();
            whole.trainer.fit(1);
            calls = simulator.calls(call);
            expected = weights(whole.replica.model());
        }
        int failures = 0;
        for (int part = 0; part < 5; part++) {
            try (Run run = new Run()) {
                simulator.clearCalls();
                // The allocator tries once more: two calls in a row.
                simulator.failAt(call, 1 + part * (calls - 1) / 5, status);
                simulator.failAt(call, 2 + part * (calls - 1) / 5, status);
                try {
                    run.trainer.fit(1);
                } catch (TenonException _) {
                    failures++;
                }
                simulator.clearPlans();
                run.trainer.fit(1);
                assertThat(run.trainer.step()).isEqualTo(2);
                // Other algorithms may have been chosen, which round differently.
                Map<String, List<Double>> trained = weights(run.replica.model());
                trained.forEach((name, values) -> {
                    for (int i = 0; i < values.size(); i++) {
                        assertThat(values.get(i))
                                .as("%s[%d]", name, i)
                                .isCloseTo(expected.get(name).get(i), within(1e-6));
                    }
                });
                assertThat(weights(run.others.all().getFirst().model())).isEqualTo(trained);
            }
        }
        assertThat(failures).isPositive();
        assertThat(simulator.violations()).isEmpty();
        assertThat(simulator.live()).isEqualTo(before);
    }
}
