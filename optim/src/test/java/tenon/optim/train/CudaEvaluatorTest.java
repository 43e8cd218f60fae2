package tenon.optim.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.engine.Generator;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.backend.cuda.CudaBackend;
import tenon.engine.data.Batch;
import tenon.engine.data.BatchIterator;
import tenon.engine.data.BatchSource;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dense;
import tenon.layers.Flatten;
import tenon.layers.Module;
import tenon.layers.Sequential;
import tenon.optim.metrics.Evaluation;
import tenon.optim.metrics.RankCounter;
import tenon.simulator.SimulatedDevice;
import tenon.simulator.Simulator;

/** Evaluation on a CUDA device, simulated: results are read late, and are those of reading each at once. */
class CudaEvaluatorTest {
    private static final int BATCHES = 8; // 60 samples in batches of 8: the last has 4
    private static final Loss LOSS = Loss.crossEntropy(0.1);

    private Simulator simulator;
    private Backend cuda;
    private Scope scope;

    @BeforeEach
    void open() {
        SimulatedDevice.why().ifPresent(Assumptions::abort);
        System.setProperty("tenon.cuda.path", SimulatedDevice.folder().toString());
        simulator = new Simulator(SimulatedDevice.folder());
        simulator.reset();
        cuda = CudaBackend.open();
        scope = Scope.open("run", cuda);
    }

    @AfterEach
    void close() {
        if (scope != null) {
            scope.close();
            cuda.close();
            assertThat(simulator.violations()).isEmpty();
            simulator.reset();
        }
    }

    private static Module network() {
        Generator.current().manualSeed(1);
        return Sequential.of(
                new Conv2d(2, 4, 3, 1, 1), new BatchNorm(4), new Flatten(), new Dense(64, JitterSource.CLASSES));
    }

    /** Batches that lie on the device before they are asked for, so that nobody waits for an upload. */
    private static final class Resident implements BatchSource {
        private final JitterSource of = new JitterSource(60, 8, 6, false);
        private final List<Batch> batches = new ArrayList<>();

        Resident() {
            try (BatchIterator iterator = of.iterate(0, 0)) {
                while (iterator.hasNext()) {
                    Batch batch = iterator.next();
                    batches.add(new Batch(batch.input().retain(), batch.target().retain(), batch.keys()));
                }
            }
        }

        @Override
        public long sampleCount() {
            return of.sampleCount();
        }

        @Override
        public int batchSize() {
            return of.batchSize();
        }

        @Override
        public int batchesPerEpoch() {
            return batches.size();
        }

        @Override
        public Shape sampleShape() {
            return of.sampleShape();
        }

        @Override
        public BatchIterator iterate(int epoch, int firstBatch) {
            return new BatchIterator() {
                private int next = firstBatch;

                @Override
                public boolean hasNext() {
                    return next < batches.size();
                }

                @Override
                public Batch next() {
                    return batches.get(next++);
                }

                @Override
                public void close() {}
            };
        }

        @Override
        public void close() {
            for (Batch batch : batches) {
                batch.input().close();
                batch.target().close();
            }
        }
    }

    /** Sums of losses and counts of ranks, each read at once. */
    private static double[] waiting(Module model, BatchSource source) {
        RankCounter ranks = new RankCounter();
        double lossSum = 0;
        model.eval();
        try (var _ = GradMode.noGrad();
                BatchIterator batches = source.iterate(0, 0)) {
            while (batches.hasNext()) {
                Batch batch = batches.next();
                try (var _ = Scope.open("step")) {
                    Tensor logits = model.apply(batch.input());
                    lossSum += LOSS.apply(logits, batch.target()).item() * batch.size();
                    ranks.add(logits, batch.target());
                }
            }
        }
        return new double[] {lossSum / source.sampleCount(), ranks.rank1(), ranks.rank5()};
    }

    @ParameterizedTest
    @EnumSource
    void resultsThatAreReadLateAreThoseOfWaiting(Simulator.Streams streams) {
        simulator.streams(streams);
        Module model = network();
        try (Resident source = new Resident()) {
            double[] expected = waiting(model, source);
            Evaluation actual = Evaluator.evaluate(model, LOSS, source);
            assertThat(new double[] {actual.loss(), actual.rank1(), actual.rank5()})
                    .containsExactly(expected);
            assertThat(actual.samples()).isEqualTo(60);
            long hits = 0;
            for (int c = 0; c < JitterSource.CLASSES; c++) {
                hits += actual.confusion().count(c, c);
            }
            assertThat(hits / 60.0).isEqualTo(actual.rank1());
            try (Backend cpu = CpuBackend.open(1);
                    Scope _ = Scope.open("cpu", cpu);
                    Resident same = new Resident()) {
                Evaluation onCpu = Evaluator.evaluate(network(), LOSS, same);
                assertThat(actual.loss()).isCloseTo(onCpu.loss(), within(1e-5));
                assertThat(actual.rank1()).isEqualTo(onCpu.rank1());
            }
        }
    }

    /** Calls with which the host waits for the device. */
    private long waits() {
        return simulator.calls().entrySet().stream()
                .filter(call -> call.getKey().endsWith("Synchronize"))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    @Test
    void nobodyWaitsBeforeTheThirdBatchIsUnderWay() {
        Module model = network();
        try (Resident source = new Resident()) {
            Evaluator.evaluate(model, LOSS, source);
            long before = waits();
            List<Long> after = new ArrayList<>();
            Evaluator.evaluate(model, LOSS, source, (_, _) -> after.add(waits() - before));
            assertThat(after).hasSize(BATCHES).startsWith(0L, 0L, 0L);
            // Then one batch is read for each that begins: its loss, scores and true classes.
            assertThat(after.subList(3, BATCHES)).containsExactly(3L, 6L, 9L, 12L, 15L);
        }
    }

    @Test
    void aClassThatDoesNotExistIsRefusedWhenItIsRead() {
        Module model = network();
        try (Resident source = new Resident()) {
            Evaluator.evaluate(model, LOSS, source);
            int[] labels = source.batches.get(5).target().toIntArray();
            labels[2] = JitterSource.CLASSES;
            Tensor wrong = Tensor.of(labels, labels.length);
            source.batches.get(5).target().copyFrom(wrong);
            long events = simulator.live("event");
            long pinned = simulator.live("hostMemory");
            assertThatThrownBy(() -> Evaluator.evaluate(model, LOSS, source))
                    .isInstanceOf(ShapeException.class)
                    .hasMessage("evaluation: class indices must lie in [0, 3): sample=42, index=3");
            assertThat(simulator.live("event")).isEqualTo(events);
            assertThat(simulator.live("hostMemory")).isEqualTo(pinned);
        }
    }
}
