package tenon.apps.networks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.engine.Generator;
import tenon.engine.Precision;
import tenon.engine.Scope;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.backend.cuda.CudaBackend;
import tenon.io.augment.HorizontalFlip;
import tenon.io.augment.RandomCrop;
import tenon.io.data.RecordBatchSource;
import tenon.io.record.Label;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;
import tenon.layers.Module;
import tenon.optim.Sgd;
import tenon.optim.UpdateRules;
import tenon.optim.checkpoint.CheckpointStore;
import tenon.optim.schedule.Schedule;
import tenon.optim.train.Callback;
import tenon.optim.train.Loss;
import tenon.optim.train.Progress;
import tenon.optim.train.Trainer;
import tenon.simulator.SimulatedDevice;

/**
 * Ten steps from record files on a CUDA device that finishes the pictures itself, simulated unless {@code -Dtenon.test.gpu=real}: beside the CPU's, recorded or not,
 * stopped in the middle of an epoch or not.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CudaLoaderTest {
    private static final int EPOCHS = 2;
    private static final int STEPS = 10; // 37 pictures in batches of 8: the last has 5
    private static final List<String> CLASSES = List.of("dark", "bright", "striped");

    @TempDir
    private static Path folder;

    private Path file;
    private Backend cuda;

    @BeforeAll
    void open() {
        if (!"real".equals(System.getProperty("tenon.test.gpu"))) {
            SimulatedDevice.why().ifPresent(Assumptions::abort);
            System.setProperty("tenon.cuda.path", SimulatedDevice.folder().toString());
        }
        cuda = CudaBackend.open();
        file = folder.resolve("pictures.trec");
        Random random = new Random(4);
        try (RecordWriter writer = RecordWriter.create(file, RecordSchema.rawClasses("train", 16, 16, 3, CLASSES))) {
            for (int i = 0; i < 37; i++) {
                byte[] pixels = new byte[16 * 16 * 3];
                for (int j = 0; j < pixels.length; j++) {
                    int base = i % 3 == 2 ? j / 48 % 2 * 128 : i % 3 * 96;
                    pixels[j] = (byte) (base + random.nextInt(100));
                }
                writer.add(pixels, Label.ofClass(i % 3), "k" + i, "s" + i);
            }
            writer.commit();
        }
    }

    @AfterAll
    void close() {
        if (cuda != null) {
            cuda.close();
        }
    }

    /** How a run goes. */
    private record Run(Precision precision, boolean recorded, CheckpointStore store, int stopAfter) {
        static Run of(Precision precision) {
            return new Run(precision, true, null, STEPS);
        }

        Run eager() {
            return new Run(precision, false, store, stopAfter);
        }

        Run with(CheckpointStore newStore, int newStop) {
            return new Run(precision, recorded, newStore, newStop);
        }
    }

    /** Mean losses of the epochs, then the network's values. */
    private List<double[]> train(Backend backend, Run run) {
        try (Scope _ = Scope.open("run", backend);
                RecordBatchSource source = RecordBatchSource.of(file)
                        .batchSize(8)
                        .shuffle(true)
                        .seed(3)
                        .dtype(run.precision.dtype())
                        .augment(new HorizontalFlip())
                        .augment(new RandomCrop(16, 16, 2))
                        .open()) {
            assertThat(source.finisher()).startsWith(backend == cuda ? cuda.name() : "the host");
            Generator.current().manualSeed(11);
            Module model = new ResNet(3, CLASSES.size(), new int[] {1, 1}, new int[] {8, 16, 32});
            model.computeIn(run.precision);
            Sgd sgd = new Sgd(model.parameters(), 0.9, false, UpdateRules.weightDecay(1e-4));
            Trainer.Builder builder = Trainer.builder(model, sgd, Schedule.constant(2e-3), Loss.crossEntropy(), source)
                    .seed(5)
                    .captureSteps(run.recorded)
                    .callback(new Callback() {
                        @Override
                        public void onStepEnd(Trainer trainer, Progress progress) {
                            if (progress.step() == run.stopAfter && run.stopAfter < STEPS) {
                                trainer.requestStop();
                            }
                        }
                    });
            if (run.store != null) {
                builder.checkpoints(run.store);
            }
            Trainer trainer = builder.build();
            if (run.store != null) {
                trainer.resume();
            }
            trainer.fit(EPOCHS);
            assertThat(trainer.step()).isEqualTo(run.stopAfter);
            List<double[]> all = new ArrayList<>();
            trainer.history().epochs().forEach(epoch -> all.add(new double[] {epoch.loss()}));
            model.state().values().forEach(tensor -> all.add(tensor.toDoubleArray()));
            return all;
        }
    }

    @Test
    void tenStepsBesideTheCpus() {
        List<double[]> expected;
        try (Backend cpu = CpuBackend.open(2)) {
            expected = train(cpu, Run.of(Precision.FP32));
        }
        List<double[]> actual = train(cuda, Run.of(Precision.FP32));
        assertThat(actual.get(1)[0]).as("it learns").isLessThan(0.9 * actual.get(0)[0]);
        for (int epoch = 0; epoch < EPOCHS; epoch++) {
            assertThat(actual.get(epoch)[0])
                    .as("loss of epoch %d", epoch)
                    .isCloseTo(expected.get(epoch)[0], withinPercentage(0.1));
        }
    }

    @ParameterizedTest
    @EnumSource
    void recordedStepsAndStoppedRunsEndInTheSameBits(Precision precision) {
        List<double[]> expected = train(cuda, Run.of(precision).eager());
        assertThat(train(cuda, Run.of(precision))).usingRecursiveComparison().isEqualTo(expected);
        CheckpointStore store = CheckpointStore.open(folder.resolve("checkpoints-" + precision), 2);
        train(cuda, Run.of(precision).with(store, 7));
        assertThat(train(cuda, Run.of(precision).with(store, STEPS)))
                .usingRecursiveComparison()
                .isEqualTo(expected);
    }
}
