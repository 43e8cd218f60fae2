package tenon.optim.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.engine.Generator;
import tenon.engine.Scope;
import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.data.BatchSource;
import tenon.layers.ActivationLayer;
import tenon.layers.Dense;
import tenon.layers.Flatten;
import tenon.layers.Module;
import tenon.layers.Sequential;
import tenon.optim.Optimizer;
import tenon.optim.Sgd;
import tenon.optim.UpdateRules;
import tenon.optim.checkpoint.CheckpointStore;
import tenon.optim.metrics.ClassificationReport;
import tenon.optim.metrics.Evaluation;
import tenon.optim.schedule.Schedule;

/** The example in the package's documentation, line by line. */
class TrainerExampleTest {
    @Test
    void theExampleOfThePackageRuns(@TempDir Path folder) {
        BatchSource training = new JitterSource(60, 10, 1, true);
        BatchSource validation = new JitterSource(30, 10, 2, false);
        try (Backend backend = ReferenceBackend.open()) {
            try (Scope scope = Scope.open("run", backend)) {
                Generator.current().manualSeed(42); // the initial weights
                Module model =
                        Sequential.of(new Flatten(), new Dense(32, 16), ActivationLayer.relu(), new Dense(16, 3));
                Optimizer optimizer = new Sgd(model.parameters(), 0.9, false, UpdateRules.weightDecay(5e-4));
                Schedule rate = Schedule.cosine(0.05, 0, 20L * training.batchesPerEpoch());
                Trainer trainer = Trainer.builder(model, optimizer, rate, Loss.crossEntropy(), training)
                        .validation(validation)
                        .seed(42)
                        .checkpoints(CheckpointStore.open(folder.resolve("checkpoints"), 3))
                        .callback(new HistoryWriter(folder))
                        .callback(new EarlyStopping(Monitor.of("val_loss"), 5))
                        .build();
                trainer.resume(); // does nothing in a new folder
                trainer.fit(20);
                Evaluation result = trainer.evaluate(validation);
                String report = ClassificationReport.of(result.confusion(), List.of("cats", "dogs", "panda"))
                        .toString();
                assertThat(report).contains("cats", "avg / total");
                assertThat(result.rank1()).isGreaterThan(0.6);
                assertThat(folder.resolve("history.csv")).exists();
                assertThat(scope.tensorCount()).isPositive();
            }
        }
    }
}
