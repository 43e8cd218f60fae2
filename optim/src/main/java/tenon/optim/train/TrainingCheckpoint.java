package tenon.optim.train;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tenon.engine.Tensor;
import tenon.layers.Module;
import tenon.optim.Optimizer;
import tenon.optim.checkpoint.CheckpointException;
import tenon.optim.checkpoint.CheckpointStore;
import tenon.optim.checkpoint.CheckpointStore.Part;
import tenon.optim.checkpoint.ModelFile;
import tenon.optim.checkpoint.SafetensorsFile;
import tenon.optim.checkpoint.SafetensorsWriter;

/** The files of a training checkpoint: {@code model.safetensors}, {@code optimizer.safetensors}, one per callback with tensors, {@code state.json}. */
final class TrainingCheckpoint {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingCheckpoint.class);
    private static final String MODEL = "model.safetensors";
    private static final String OPTIMIZER = "optimizer.safetensors";

    private final Module model;
    private final Optimizer optimizer;
    private final Map<String, StatefulCallback> callbacks = new LinkedHashMap<>();

    TrainingCheckpoint(Module model, Optimizer optimizer, List<Callback> all) {
        this.model = model;
        this.optimizer = optimizer;
        for (Callback callback : all) {
            if (callback instanceof StatefulCallback stateful && callbacks.put(stateful.key(), stateful) != null) {
                throw new IllegalArgumentException(
                        "trainer: callbacks with state must have different keys: key=" + stateful.key());
            }
        }
    }

    Map<String, JsonNode> callbackStates() {
        Map<String, JsonNode> states = new LinkedHashMap<>();
        callbacks.forEach((key, callback) -> states.put(key, callback.saveState()));
        return states;
    }

    Path save(CheckpointStore store, TrainingState state, boolean best) {
        Map<String, Part> parts = new LinkedHashMap<>();
        parts.put(MODEL, (files, file) -> ModelFile.write(files, file, model.state(), Map.of()));
        parts.put(OPTIMIZER, tensors(optimizer.state(), optimizer.settings()));
        callbacks.forEach((key, callback) -> {
            if (!callback.tensors().isEmpty()) {
                parts.put(key + ".safetensors", tensors(callback.tensors(), Map.of()));
            }
        });
        parts.put(TrainingState.FILE, Part.of(state.toBytes()));
        return store.save(state.epoch(), state.step(), best, parts);
    }

    private static Part tensors(Map<String, Tensor> tensors, Map<String, String> notes) {
        return (files, file) -> SafetensorsWriter.write(files, file, tensors, notes);
    }

    void restore(Path folder, TrainingState state) {
        Map<String, String> now = optimizer.settings();
        if (!now.get("optimizer").equals(state.optimizer().get("optimizer"))) {
            throw new CheckpointException("trainer: the checkpoint must be of the same optimizer: checkpoint="
                    + state.optimizer().get("optimizer") + ", trainer=" + now.get("optimizer") + ", folder=" + folder);
        }
        if (!now.equals(state.optimizer())) {
            LOG.warn("trainer: optimizer settings differ: checkpoint={}, now={}", state.optimizer(), now);
        }
        ModelFile.load(folder.resolve(MODEL), model);
        load(folder.resolve(OPTIMIZER), optimizer.state());
        optimizer.setStepCount(state.optimizerSteps());
        callbacks.forEach((key, callback) -> {
            if (state.callbacks().containsKey(key)) {
                callback.restoreState(state.callbacks().get(key));
                if (!callback.tensors().isEmpty()) {
                    load(folder.resolve(key + ".safetensors"), callback.tensors());
                }
            }
        });
    }

    private static void load(Path file, Map<String, Tensor> into) {
        try (SafetensorsFile saved = SafetensorsFile.open(file)) {
            saved.readAll(into);
        }
    }
}
