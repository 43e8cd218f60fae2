package tenon.optim.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.LinkedHashMap;
import java.util.Map;
import tenon.engine.Tensor;
import tenon.layers.Module;

/**
 * Ends training when a metric stops improving, by Keras's rule: at each epoch's end, a value better than the best so far (by more than the monitor's
 * delta) is the new best and sets a counter to 0; otherwise the counter rises by 1, and training ends when it reaches {@code patience}. So patience 2
 * means two epochs in a row that do not beat the best, not two falls in a row.
 */
public final class EarlyStopping implements StatefulCallback {
    private final Monitor monitor;
    private final int patience;
    private final Module model;
    private final Map<String, Tensor> bestWeights = new LinkedHashMap<>();
    private double best;
    private int bestEpoch = -1;
    private int waited;
    private int stoppedEpoch = -1;

    /**
     * Leaves the last epoch's weights in the model.
     *
     * @param patience at least 0; 0 ends at the first epoch without improvement, as 1 does
     */
    public EarlyStopping(Monitor monitor, int patience) {
        this(monitor, patience, null);
    }

    private EarlyStopping(Monitor monitor, int patience, Module model) {
        if (patience < 0) {
            throw new IllegalArgumentException("early stopping: patience must be at least 0: patience=" + patience);
        }
        this.monitor = monitor;
        this.patience = patience;
        this.model = model;
        this.best = monitor.worst();
    }

    /**
     * Puts the best epoch's parameters and buffers back into the model when it ends the training (not when the epochs run out, so that training can
     * go on). Allocates a copy of them in the current scope.
     */
    public static EarlyStopping restoringBestWeights(Monitor monitor, int patience, Module model) {
        EarlyStopping stopping = new EarlyStopping(monitor, patience, model);
        model.state().forEach((name, tensor) -> {
            Tensor copy = Tensor.empty(tensor.backend(), tensor.shape(), tensor.dtype());
            copy.copyFrom(tensor);
            stopping.bestWeights.put(name, copy);
        });
        return stopping;
    }

    @Override
    public void onEpochEnd(Trainer trainer, EpochRecord epoch) {
        double value = monitor.metric().of(epoch);
        if (Double.isNaN(value)
                && bestEpoch < 0
                && monitor.metric().key().startsWith("val_")
                && Double.isNaN(epoch.validationLoss())) {
            throw new IllegalArgumentException("early stopping: the metric must be measured: metric="
                    + monitor.metric().key()
                    + ", but there is no validation (give the trainer validation data, or watch another metric)");
        }
        if (update(epoch.epoch() - 1, value)) {
            trainer.stop("early stopping: " + monitor.metric().key() + " has not improved on " + best + " (epoch "
                    + (bestEpoch + 1) + ") for " + waited + (waited == 1 ? " epoch" : " epochs"));
        }
    }

    /** Feeds one value; returns true when training must end. */
    boolean update(int epoch, double value) {
        if (monitor.isBetter(value, best)) {
            best = value;
            bestEpoch = epoch;
            waited = 0;
            copy(model == null ? Map.of() : model.state(), bestWeights);
            return false;
        }
        waited++;
        if (waited >= patience) {
            stoppedEpoch = epoch;
            return true;
        }
        return false;
    }

    @Override
    public void onTrainEnd(Trainer trainer) {
        if (stoppedEpoch >= 0 && bestEpoch >= 0) {
            copy(bestWeights, model == null ? Map.of() : model.state());
        }
    }

    private static void copy(Map<String, Tensor> from, Map<String, Tensor> to) {
        from.forEach((name, tensor) -> {
            if (to.containsKey(name)) {
                to.get(name).copyFrom(tensor);
            }
        });
    }

    /** Index from 0 of the epoch that ended the training, or −1. */
    public int stoppedEpoch() {
        return stoppedEpoch;
    }

    /** Index from 0 of the best epoch, or −1. */
    public int bestEpoch() {
        return bestEpoch;
    }

    public double best() {
        return best;
    }

    @Override
    public String key() {
        return "early-stopping";
    }

    private record State(double best, int bestEpoch, int waited, int stoppedEpoch) {}

    @Override
    public JsonNode saveState() {
        return new JsonMapper().valueToTree(new State(best, bestEpoch, waited, stoppedEpoch));
    }

    @Override
    public void restoreState(JsonNode state) {
        State saved = new JsonMapper().convertValue(state, State.class);
        best = saved.best;
        bestEpoch = saved.bestEpoch;
        waited = saved.waited;
        stoppedEpoch = saved.stoppedEpoch;
    }

    @Override
    public Map<String, Tensor> tensors() {
        return bestWeights;
    }
}
