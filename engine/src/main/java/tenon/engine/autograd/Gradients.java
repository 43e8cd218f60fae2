package tenon.engine.autograd;

import tenon.engine.AutogradException;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;

/**
 * What a backward rule works with. For each input it wants, a rule calls either {@link #target} and overwrites the buffer, or {@link #give} with
 * a tensor of its own; adding to a gradient that is already there, un-broadcasting and checking happen here, once for all ops.
 */
public final class Gradients {
    private final Node node;
    private final Tensor[] pending;

    Gradients(Node node) {
        this.node = node;
        this.pending = new Tensor[node.inputCount()];
    }

    /** Gradient of the only output. */
    public Tensor output() {
        return output(0);
    }

    /** Gradient of output {@code i}; zeros if nothing flowed back into it. */
    public Tensor output(int i) {
        Tensor[] grads = node.gradOutputs();
        if (grads[i] == null) {
            try (var _ = Scope.openLocal("zeros")) {
                grads[i] = Tensor.zeros(node.outputShape(i), node.outputType(i)).retain();
            }
        }
        return grads[i];
    }

    /** True when the gradient of input {@code i} is needed. */
    public boolean wanted(int i) {
        return node.wanted(i);
    }

    /** A buffer of input {@code i}'s shape and dtype that the rule must overwrite completely. */
    public Tensor target(int i) {
        Tensor input = node.input(i);
        Tensor buffer = isDirect(i) ? input.gradBuffer() : Tensor.empty(input.backend(), input.shape(), input.dtype());
        pending[i] = buffer;
        return buffer;
    }

    /**
     * As {@link #target}, but the memory of the only output's gradient where nobody else needs that: for rules that overwrite an element of it after
     * they have read it for the last time. For one input only.
     */
    public Tensor targetInPlace(int i) {
        Tensor gradient = output();
        if (isDirect(i)
                || gradient.isShared()
                || !gradient.shape().equals(node.input(i).shape())) {
            return target(i);
        }
        pending[i] = gradient;
        return gradient;
    }

    /**
     * The gradient of input {@code i} as far as other ops have delivered it, if the rule may add to it: nobody else holds it. A rule that did so hands it
     * back to {@link #give}. Null where nothing is there yet, or somebody else reads it.
     */
    public Tensor accumulator(int i) {
        Node producer = node.inputNode(i);
        if (!wanted(i) || producer == null || producer.isReleased()) {
            return null;
        }
        Tensor present = producer.gradOutputs()[node.outputIndexOfInput(i)];
        return present == null || present.isShared() ? null : present;
    }

    /** True when {@link #target} hands out the leaf's own buffer: a leaf without a gradient that the op uses once. */
    private boolean isDirect(int i) {
        Tensor input = node.input(i);
        if (node.inputNode(i) != null || input.grad() != null) {
            return false;
        }
        for (int j = 0; j < pending.length; j++) {
            if (j != i && node.input(j) == input) {
                return false;
            }
        }
        return true;
    }

    /**
     * Hands over the gradient of input {@code i}: the output's shape is allowed where the op broadcast the input. The tensor may be the output
     * gradient itself (or a view of it), which is never modified while somebody else holds it, or the {@link #accumulator}. Without effect where it is not wanted.
     */
    public void give(int i, Tensor gradient) {
        if (!wanted(i)) {
            return;
        }
        Tensor input = node.input(i);
        if (!gradient.shape().equals(input.shape())) {
            gradient = unbroadcast(gradient, input.shape());
        }
        pending[i] = gradient;
    }

    private Tensor unbroadcast(Tensor gradient, Shape shape) {
        if (!Shape.broadcast(node.op(), gradient.shape(), shape).equals(gradient.shape())) {
            throw new AutogradException("backward of " + node.op()
                    + ": the gradient's shape must be the input's or one it broadcast to: gradient=" + gradient.shape()
                    + ", input=" + shape);
        }
        Tensor reduced = Tensor.empty(gradient.backend(), shape, gradient.dtype());
        gradient.backend().sumTo(gradient, reduced);
        return reduced;
    }

    /** Moves what the rule produced into the leaves and the producers' slots. */
    void deliver() {
        for (int i = 0; i < pending.length; i++) {
            Tensor gradient = pending[i];
            if (gradient == null) {
                continue;
            }
            pending[i] = null;
            Tensor input = node.input(i);
            check(gradient, input);
            Autograd.checkFinite("backward of " + node.op(), node.path(), gradient);
            if (node.inputNode(i) == null) {
                deliverToLeaf(input, gradient);
            } else {
                deliverToNode(node.inputNode(i), node.outputIndexOfInput(i), gradient);
            }
        }
    }

    private static void deliverToLeaf(Tensor leaf, Tensor gradient) {
        Tensor buffer = leaf.gradBuffer();
        if (gradient != buffer) {
            if (leaf.grad() == null) {
                buffer.copyFrom(gradient);
            } else {
                leaf.backend().addInPlace(buffer, gradient);
            }
        }
        leaf.markGradFilled();
    }

    private static void deliverToNode(Node producer, int index, Tensor gradient) {
        Autograd.checkNotReleased(producer);
        Tensor[] slots = producer.gradOutputs();
        Tensor present = slots[index];
        if (present == gradient) {
            return;
        }
        if (present == null) {
            slots[index] = gradient.retain();
            return;
        }
        Backend backend = gradient.backend();
        if (present.isShared()) {
            Tensor sum = Tensor.empty(backend, present.shape(), present.dtype());
            backend.add(present, gradient, sum);
            present.close();
            slots[index] = sum.retain();
        } else {
            backend.addInPlace(present, gradient);
        }
    }

    private void check(Tensor gradient, Tensor input) {
        if (!gradient.shape().equals(input.shape()) || gradient.dtype() != input.dtype()) {
            throw new AutogradException("backward of " + TenonException.where(node.op(), node.path())
                    + ": gradient and input must agree in shape and dtype: gradient=" + gradient + ", input=" + input);
        }
    }
}
