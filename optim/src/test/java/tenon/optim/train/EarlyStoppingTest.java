package tenon.optim.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.data.BatchSource;
import tenon.layers.Dense;
import tenon.layers.Flatten;
import tenon.layers.Module;
import tenon.layers.Sequential;
import tenon.optim.Sgd;
import tenon.optim.UpdateRules;
import tenon.optim.checkpoint.CheckpointStore;
import tenon.optim.schedule.Schedule;

class EarlyStoppingTest {
    /** Validation accuracies of an MNIST run that Keras stopped after its 10th epoch with patience 2. */
    private static final double[] KERAS = {
        0.9538, 0.9690, 0.9734, 0.9725, 0.9743, 0.9778, 0.9778, 0.9793, 0.9783, 0.9789
    };

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

    private static int feed(EarlyStopping stopping, double... values) {
        for (int i = 0; i < values.length; i++) {
            if (stopping.update(i, values[i])) {
                return i;
            }
        }
        return -1;
    }

    @ParameterizedTest(name = "patience {0} stops at index {1}")
    @CsvSource({"2, 9, 7", "1, 3, 2", "3, -1, 7", "0, 3, 2"})
    void stopsAfterPatienceEpochsThatDoNotBeatTheBest(int patience, int stopped, int best) {
        EarlyStopping stopping = new EarlyStopping(Monitor.of("val_acc"), patience);
        assertThat(feed(stopping, KERAS)).isEqualTo(stopped);
        assertThat(stopping.stoppedEpoch()).isEqualTo(stopped);
        assertThat(stopping.bestEpoch()).isEqualTo(best);
    }

    @Test
    void goesOnAfterARestore() {
        for (int cut = 1; cut < KERAS.length; cut++) {
            EarlyStopping first = new EarlyStopping(Monitor.of("val_acc"), 2);
            for (int i = 0; i < cut; i++) {
                assertThat(first.update(i, KERAS[i])).isFalse();
            }
            EarlyStopping second = new EarlyStopping(Monitor.of("val_acc"), 2);
            second.restoreState(first.saveState());
            for (int i = cut; i < KERAS.length; i++) {
                assertThat(second.update(i, KERAS[i])).isEqualTo(i == 9);
            }
            assertThat(second.best()).isEqualTo(0.9793);
        }
    }

    @Test
    void minimisesLossesAndNeedsMoreThanTheDelta() {
        EarlyStopping stopping = new EarlyStopping(Monitor.of("val_loss").withMinDelta(0.1), 2);
        assertThat(feed(stopping, 1, 0.95, 0.85, 0.8, Double.NaN)).isEqualTo(4);
        assertThat(stopping.bestEpoch()).isEqualTo(2);
        assertThat(Monitor.of("acc").maximise()).isTrue();
        assertThat(Monitor.of("loss").maximise()).isFalse();
        assertThatThrownBy(() -> Monitor.of("val_accuracy")).hasMessageContaining("val_acc, ");
    }

    /** A run whose validation accuracy is what the replay says: the weights themselves come from real training. */
    private Trainer trainer(EarlyStoppingFactory factory, Module model, List<float[]> weights, CheckpointStore store) {
        BatchSource data = new JitterSource(12, 6, 1, true);
        EarlyStopping stopping = factory.create(model);
        Callback replay = new StatefulReplay(stopping, weights);
        Trainer.Builder builder = Trainer.builder(
                        model,
                        new Sgd(model.parameters(), UpdateRules.PLAIN),
                        Schedule.constant(0.05),
                        Loss.crossEntropy(),
                        data)
                .callback(replay);
        return (store == null ? builder : builder.checkpoints(store)).build();
    }

    private interface EarlyStoppingFactory {
        EarlyStopping create(Module model);
    }

    /** Hands early stopping the Keras accuracies in place of the measured ones, and notes the weights at each epoch's end. */
    private record StatefulReplay(EarlyStopping stopping, List<float[]> weights) implements StatefulCallback {
        @Override
        public void onEpochEnd(Trainer trainer, EpochRecord epoch) {
            weights.add(weight(trainer.model()));
            stopping.onEpochEnd(
                    trainer,
                    new EpochRecord(
                            epoch.epoch(), epoch.step(), 0, 0, 0, 0, 0, KERAS[epoch.epoch() - 1], Double.NaN, 0));
        }

        @Override
        public void onTrainEnd(Trainer trainer) {
            stopping.onTrainEnd(trainer);
        }

        @Override
        public String key() {
            return stopping.key();
        }

        @Override
        public JsonNode saveState() {
            return stopping.saveState();
        }

        @Override
        public void restoreState(JsonNode state) {
            stopping.restoreState(state);
        }

        @Override
        public Map<String, Tensor> tensors() {
            return stopping.tensors();
        }
    }

    private static float[] weight(Module model) {
        return model.parameters().getFirst().value().toFloatArray();
    }

    private static Module network() {
        return Sequential.of(new Flatten(), new Dense(32, 3));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void putsTheBestWeightsBackIfAsked(boolean restore) {
        List<float[]> weights = new ArrayList<>();
        Module model = network();
        Monitor monitor = Monitor.of("val_acc");
        Trainer trainer = trainer(
                m -> restore ? EarlyStopping.restoringBestWeights(monitor, 2, m) : new EarlyStopping(monitor, 2),
                model,
                weights,
                null);
        trainer.fit(25);
        assertThat(trainer.epoch()).isEqualTo(10);
        assertThat(trainer.stopReason().orElseThrow())
                .isEqualTo("early stopping: val_acc has not improved on 0.9793 (epoch 8) for 2 epochs");
        assertThat(weight(model)).isEqualTo(weights.get(restore ? 7 : 9));
        assertThat(weights.get(7)).isNotEqualTo(weights.get(9));
        assertThat(trainer.fit(25).epochs()).hasSize(10);
    }

    @Test
    void theBestWeightsAreInTheCheckpoint(@TempDir Path folder) {
        CheckpointStore store = CheckpointStore.open(folder, 1);
        EarlyStoppingFactory factory = m -> EarlyStopping.restoringBestWeights(Monitor.of("val_acc"), 2, m);
        List<float[]> weights = new ArrayList<>();
        trainer(factory, network(), weights, store).fit(9);
        Module model = network();
        Trainer second = trainer(factory, model, weights, store);
        second.resume();
        second.fit(25);
        assertThat(second.epoch()).isEqualTo(10);
        assertThat(weight(model)).isEqualTo(weights.get(7));

        Module again = network();
        Trainer third = trainer(factory, again, weights, store);
        third.resume();
        third.fit(25);
        assertThat(third.epoch()).isEqualTo(10);
        assertThat(third.stopReason()).isPresent();
        assertThat(weight(again)).isEqualTo(weights.get(7));
    }

    @Test
    void aMetricThatIsNotMeasuredIsAnError() {
        Module model = network();
        Trainer trainer = Trainer.builder(
                        model,
                        new Sgd(model.parameters(), UpdateRules.PLAIN),
                        Schedule.constant(0.05),
                        Loss.crossEntropy(),
                        new JitterSource(12, 6, 1, true))
                .callback(new EarlyStopping(Monitor.of("val_acc"), 2))
                .build();
        assertThatThrownBy(() -> trainer.fit(2)).hasMessageContaining("metric=val_acc, but there is no validation");
    }
}
