package tenon.optim;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tenon.engine.AutogradException;
import tenon.engine.DeviceException;
import tenon.engine.NonFiniteException;
import tenon.engine.Tensor;
import tenon.engine.backend.UpdateKernels;
import tenon.layers.Parameter;

/**
 * Changes parameters by their gradients. The state (velocities, moments) is allocated at once, zeroed, in the scope that is current when the
 * optimizer is made: the trainer's, not a step's. A step is one call of the back-end's {@link UpdateKernels} for all parameters and allocates
 * nothing.
 *
 * <p>Which parameters move: those that are trainable when the optimizer is made have state. Of these, the ones frozen later are skipped, state and
 * all. A trainable parameter without a gradient is an error, and so is one that was frozen when the optimizer was made: skipping it silently would
 * hide a network that does not learn.
 */
public abstract class Optimizer {
    private final List<Parameter> frozen = new ArrayList<>();
    private final List<Parameter> parameters = new ArrayList<>();
    private final Map<String, Tensor> state = new LinkedHashMap<>();
    private final UpdateRules rules;
    private final UpdateKernels kernels;
    private final Tensor[][] allSlots;
    private final GradientClipper clipper;
    private long stepCount;

    // Arrays for the kernels: the parameters that move, rebuilt only when another set of them is frozen.
    private final boolean[] active;
    private Parameter[] moving = {};
    private Tensor[] weight;
    private Tensor[] grad;
    private Tensor[][] slots;
    private float[] weightDecay;
    private float[] rateScale;

    /** @param slotNames tensors of state per parameter, each of the parameter's shape and dtype */
    Optimizer(List<Parameter> all, UpdateRules rules, String... slotNames) {
        this.rules = rules;
        for (Parameter parameter : all) {
            (parameter.trainable() ? parameters : frozen).add(parameter);
        }
        if (parameters.isEmpty()) {
            throw new IllegalArgumentException(
                    "optimizer: there must be a trainable parameter: parameters=" + all.size() + ", all frozen");
        }
        var backend = parameters.getFirst().value().backend();
        for (Parameter parameter : parameters) {
            if (parameter.value().backend() != backend) {
                throw new DeviceException("optimizer: all parameters must be on one back-end: '" + parameter.name()
                        + "' is on " + parameter.value().backend().name() + ", others on " + backend.name());
            }
        }
        this.kernels = backend.updates();
        this.allSlots = new Tensor[slotNames.length][parameters.size()];
        for (int i = 0; i < parameters.size(); i++) {
            Parameter parameter = parameters.get(i);
            for (int s = 0; s < slotNames.length; s++) {
                Tensor value = parameter.value();
                Tensor slot = Tensor.empty(value.backend(), value.shape(), value.dtype());
                slot.fill(0);
                allSlots[s][i] = slot;
                if (state.put(parameter.name() + "." + slotNames[s], slot) != null) {
                    throw new IllegalArgumentException(
                            "optimizer: parameter names must differ: name='" + parameter.name() + "'");
                }
            }
        }
        this.active = new boolean[parameters.size()];
        this.clipper = rules.clipping() == UpdateRules.Clipping.NONE ? null : new GradientClipper(rules, backend);
    }

    /**
     * Updates all parameters once.
     *
     * @param rate learning rate of this step
     * @throws AutogradException when a trainable parameter has no gradient, or was frozen when the optimizer was made
     * @throws NonFiniteException when gradients are clipped and their norm is not finite; nothing is updated. In a recorded step nobody waits for the norm: see {@link #checkClipping}
     */
    public final void step(double rate) {
        collect();
        if (clipper != null && moving.length > 0) {
            clipper.clip(grad);
        }
        stepCount++;
        if (moving.length == 0) {
            return;
        }
        if (clipper == null) {
            update(kernels, slots, (float) rate, (float) rules.rescale(), null);
        } else {
            update(kernels, slots, (float) rate, (float) clipper.rescale(), clipper.clip());
        }
    }

    /**
     * Gradients of the parameters that move, as {@link #step} reads them. The list is valid until other parameters are frozen.
     *
     * @throws AutogradException as {@link #step} does
     */
    public final List<Tensor> gradients() {
        collect();
        return Arrays.asList(grad);
    }

    /**
     * Calls one kernel with the given state (slot by parameter) and this object's arrays.
     *
     * @param clip of {@link UpdateKernels#clipFactor}, or null
     */
    abstract void update(UpdateKernels updates, Tensor[][] slot, float rate, float rescale, Tensor clip);

    /** What clipping by the joint norm found in the last step, F32 [2] of {@link UpdateKernels#clipFactor}, where a recorded step leaves it; null without such clipping. */
    public final Tensor clipping() {
        return clipper == null ? null : clipper.clip();
    }

    /**
     * For who has read {@link #clipping} after a recorded step.
     *
     * @throws NonFiniteException as {@link #step} does in a step that is not recorded
     */
    public static void checkClipping(float factor, float norm) {
        GradientClipper.check(factor, norm);
    }

    final Tensor[] weight() {
        return weight;
    }

    final Tensor[] grad() {
        return grad;
    }

    final float[] weightDecay() {
        return weightDecay;
    }

    final float[] rateScale() {
        return rateScale;
    }

    private void collect() {
        for (int i = 0; i < frozen.size(); i++) {
            if (frozen.get(i).trainable()) {
                throw new AutogradException("optimizer: '" + frozen.get(i).name()
                        + "' is trainable but was frozen when the optimizer was made, so"
                        + " there is no state for it (make a new optimizer after unfreezing)");
            }
        }
        boolean changed = weight == null;
        for (int i = 0; i < active.length; i++) {
            boolean trainable = parameters.get(i).trainable();
            changed |= trainable != active[i];
            active[i] = trainable;
        }
        if (changed) {
            prepare();
        }
        for (int i = 0; i < moving.length; i++) {
            grad[i] = weight[i].grad();
            if (grad[i] == null) {
                throw new AutogradException(
                        "optimizer: every trainable parameter must have a gradient: '" + moving[i].name()
                                + "' has none (call backward before step; freeze parameters that the loss does not"
                                + " depend on)");
            }
        }
    }

    private void prepare() {
        int count = 0;
        for (boolean one : active) {
            count += one ? 1 : 0;
        }
        moving = new Parameter[count];
        weight = new Tensor[count];
        grad = new Tensor[count];
        slots = new Tensor[allSlots.length][count];
        weightDecay = new float[count];
        rateScale = new float[count];
        int to = 0;
        for (int i = 0; i < active.length; i++) {
            if (active[i]) {
                Parameter parameter = parameters.get(i);
                moving[to] = parameter;
                weight[to] = parameter.value();
                for (int s = 0; s < allSlots.length; s++) {
                    slots[s][to] = allSlots[s][i];
                }
                weightDecay[to] = rules.decaysAll() || parameter.decays() ? (float) rules.weightDecay() : 0;
                rateScale[to] = (float) rules.rateScale().applyAsDouble(parameter);
                to++;
            }
        }
    }

    /** Forgets the gradients of all parameters; costs nothing. */
    public final void zeroGrad() {
        for (int i = 0; i < parameters.size(); i++) {
            parameters.get(i).value().zeroGrad();
        }
    }

    /** Forgets what earlier steps left, as a new optimizer: state of zeros, no steps done. */
    public final void restart() {
        state.values().forEach(tensor -> tensor.fill(0));
        stepCount = 0;
    }

    /** Tensors of state by name: the parameter's dotted name, a dot, the slot. */
    public final Map<String, Tensor> state() {
        return Collections.unmodifiableMap(state);
    }

    /** Those that it updates while they are not frozen, in the order of {@link #gradients}. */
    public final List<Parameter> parameters() {
        return Collections.unmodifiableList(parameters);
    }

    /** Steps done. */
    public final long stepCount() {
        return stepCount;
    }

    /** Sets the number of steps done, after {@link #state} was restored. */
    public final void setStepCount(long count) {
        stepCount = count;
    }

    /** Kind and settings, for manifests and to recognise the state of another optimizer; the kind is under {@code optimizer}. */
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("optimizer", getClass().getSimpleName());
        settings.put("weightDecay", rules.weightDecay() + (rules.decaysAll() ? " on all parameters" : ""));
        settings.put("rescale", Double.toString(rules.rescale()));
        if (clipper != null) {
            settings.put("clipping", rules.clipping() + " " + rules.clipNorm());
        }
        return settings;
    }
}
