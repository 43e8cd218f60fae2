package tenon.optim.train;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import tenon.engine.Tensor;

/** A callback whose state belongs into checkpoints: a resumed run then goes on as if it had not been interrupted. */
public interface StatefulCallback extends Callback {
    /** Key in checkpoints, and name of the file that holds the tensors; unique in a run, letters and dashes. */
    String key();

    JsonNode saveState();

    void restoreState(JsonNode state);

    /** Tensors to save and restore, always of the same names and shapes. */
    default Map<String, Tensor> tensors() {
        return Map.of();
    }
}
