package tenon.layers;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import tenon.engine.Precision;
import tenon.engine.Tensor;
import tenon.engine.ops.Activation;
import tenon.engine.ops.Activations;

/**
 * What layers compute in evaluation mode, one step after the other; a layer that is appended may change the step in front of it instead of adding
 * one. See {@link Module#appendTo}. Each step's result is closed as soon as the next step has used it.
 */
public final class InferenceChain {
    private record Step(String path, UnaryOperator<Tensor> computation) {}

    private final List<Step> steps = new ArrayList<>();
    /** The last step when a norm or an activation can still become part of it, else null. */
    private FoldedLayer open;

    private InferenceChain() {}

    /** The chain of these layers, for a layer that has several. */
    public static InferenceChain of(Module... modules) {
        InferenceChain chain = new InferenceChain();
        for (Module module : modules) {
            chain.append(module);
        }
        return chain;
    }

    /** Lets the module append itself; one that computes in a precision of its own stays whole. */
    public void append(Module module) {
        if (module.precision() == Precision.FP32) {
            module.appendTo(this);
        } else {
            add(module, module::apply);
        }
    }

    /**
     * Appends a step that can absorb nothing.
     *
     * @param module named in error messages
     */
    public void add(Module module, UnaryOperator<Tensor> computation) {
        steps.add(new Step(module.path(), computation));
        open = null;
    }

    void addFoldable(Module module, FoldedLayer layer) {
        add(module, layer::apply);
        open = layer;
    }

    void norm(BatchNorm norm) {
        if (open != null && open.isLinear()) {
            open.fold(norm);
        } else {
            add(norm, norm::evaluate);
        }
    }

    void activation(Module module, Activation activation) {
        if (open != null && open.isLinear()) {
            open.activate(activation);
        } else {
            add(module, x -> Activations.activate(x, activation));
        }
    }

    /** Runs all steps; without any, the result is the input. */
    public Tensor run(Tensor input) {
        return run(input, false);
    }

    /** As {@link #run}, and closes the input as soon as the first step has used it. */
    public Tensor consume(Tensor input) {
        return run(input, true);
    }

    private Tensor run(Tensor input, boolean consume) {
        Tensor x = input;
        for (int i = 0; i < steps.size(); i++) {
            Step step = steps.get(i);
            Tensor y = Module.inLocalScope(step.path, step.computation, x);
            if ((x != input || consume) && y != x) {
                x.close();
            }
            x = y;
        }
        return x;
    }

    @Override
    public String toString() {
        return steps.stream().map(Step::path).collect(Collectors.joining(", "));
    }
}
