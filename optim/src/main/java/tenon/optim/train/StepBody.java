package tenon.optim.train;

import java.util.function.Consumer;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.autograd.Autograd;
import tenon.engine.autograd.LeafListener;
import tenon.engine.backend.Backend;
import tenon.layers.Module;
import tenon.optim.Optimizer;

/**
 * What a training step computes, whether it runs operation by operation or is recorded: forward, loss and backward of each of its batches, then one update by
 * the gradient of the mean loss over all their samples.
 */
record StepBody(Module model, Optimizer optimizer, Loss loss) {
    /** What one batch showed; tensors of the current scope. */
    record Outcome(Tensor logits, Tensor loss) {}

    /** Where it is computed. */
    Backend backend() {
        return model.parameters().getFirst().value().backend();
    }

    /** Forgets the gradients of the step before. */
    void begin() {
        model.zeroGrad();
    }

    /**
     * Adds a batch's gradient to those of the step's earlier batches.
     *
     * @param share of the step's samples that are in this batch
     * @param beforeBackward sees the logits, and the loss, the mean over the batch, before anything depends on it
     */
    Outcome add(Tensor input, Tensor target, double share, Consumer<Outcome> beforeBackward) {
        return add(input, target, share, beforeBackward, null);
    }

    /** @param finished told of gradients that this batch will not change any more, or null */
    Outcome add(Tensor input, Tensor target, double share, Consumer<Outcome> beforeBackward, LeafListener finished) {
        Tensor logits = model.apply(input);
        Tensor scalar = loss.apply(logits, target);
        Outcome outcome = new Outcome(logits, scalar);
        beforeBackward.accept(outcome);
        Tensor gradient = share == 1 ? null : Tensor.full(Shape.scalar(), scalar.dtype(), share);
        Autograd.backward(scalar, gradient, finished);
        return outcome;
    }

    void update(double rate) {
        optimizer.step(rate);
    }
}
