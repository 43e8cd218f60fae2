package tenon.optim.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.UpdateKernels;
import tenon.layers.Module;

/**
 * Exponential moving average of a network's parameters and buffers (Polyak and Juditsky 1992; as used by Szegedy et al. 2016, section 8): after update t, from 1,
 *
 * <pre>
 * average = d·average + (1 − d)·weights,   d = min(decay, (1 + t) / (10 + t))
 * </pre>
 *
 * where the second term, TensorFlow's, keeps the first weights from mattering for long. Given to {@link Trainer.Builder#average}, it is what validation measures, and
 * checkpoints hold it besides the weights that training goes on from. Its memory, a copy of the network's, lives in the scope in which it is made.
 */
public final class WeightAverage implements StatefulCallback {
    private static final String KEY = "average";

    private final double decay;
    private final Module model;
    private final Map<String, Tensor> averages = new LinkedHashMap<>();
    private final UpdateKernels kernels;
    private final Tensor[] average;
    private final Tensor[] weight;
    private final float[] ones;
    private long updates;

    /** @param decay in (0, 1), such as 0.9999 */
    public WeightAverage(Module model, double decay) {
        if (!(decay > 0 && decay < 1)) {
            throw new IllegalArgumentException("weight average: decay must lie in (0, 1): decay=" + decay);
        }
        this.model = model;
        this.decay = decay;
        model.state().forEach((name, tensor) -> {
            Tensor copy = Tensor.empty(tensor.backend(), tensor.shape(), tensor.dtype());
            copy.copyFrom(tensor);
            averages.put(name, copy);
        });
        kernels = model.parameters().getFirst().value().backend().updates();
        average = averages.values().toArray(Tensor[]::new);
        weight = model.state().values().toArray(Tensor[]::new);
        ones = new float[average.length];
        Arrays.fill(ones, 1);
    }

    @Override
    public void onStepEnd(Trainer trainer, Progress progress) {
        updates++;
        double d = Math.min(decay, (1.0 + updates) / (10.0 + updates));
        // A descent with momentum 0 along g = −weights + 1·average: one pass over memory, in the layout in which the
        // back-end keeps the weights.
        kernels.sgd(average, weight, null, (float) (1 - d), 0, false, -1, null, ones, ones);
    }

    /** Exchanges averages and weights, bit for bit; twice is as if nothing had happened. */
    void swap() {
        for (int i = 0; i < average.length; i++) {
            try (var _ = Scope.openLocal("swap")) {
                Tensor kept = Tensor.empty(weight[i].backend(), weight[i].shape(), weight[i].dtype());
                kept.copyFrom(weight[i]);
                weight[i].copyFrom(average[i]);
                average[i].copyFrom(kept);
            }
        }
    }

    boolean isOf(Module other) {
        return model == other;
    }

    @Override
    public String key() {
        return KEY;
    }

    private record State(double decay, long updates) {}

    @Override
    public JsonNode saveState() {
        return new JsonMapper().valueToTree(new State(decay, updates));
    }

    @Override
    public void restoreState(JsonNode state) {
        updates = new JsonMapper().convertValue(state, State.class).updates;
    }

    @Override
    public Map<String, Tensor> tensors() {
        return Collections.unmodifiableMap(averages);
    }
}
