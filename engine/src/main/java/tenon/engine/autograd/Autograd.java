package tenon.engine.autograd;

import java.util.Comparator;
import java.util.PriorityQueue;
import tenon.engine.AutogradException;
import tenon.engine.Context;
import tenon.engine.GradMode;
import tenon.engine.NonFiniteException;
import tenon.engine.Scope;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;
import tenon.engine.Tensor;

/**
 * The define-by-run tape. Each op calls {@link #record} after computing its result; {@link #backward} visits the recorded ops in reverse order of
 * recording, and frees what each one saved as soon as its rule has used it.
 */
public final class Autograd {
    private static final Tensor[] NOTHING = new Tensor[0];
    private static volatile boolean checkFinite;

    private Autograd() {}

    /** With true, every result and gradient is searched for NaN and infinity, and the first op that made one is named. Slow. */
    public static void setCheckFinite(boolean on) {
        checkFinite = on;
    }

    /** Tensors to save, in the order the rule expects; null entries are allowed. */
    public static Tensor[] save(Tensor... tensors) {
        return tensors;
    }

    public static Tensor[] saveNothing() {
        return NOTHING;
    }

    /** True when an op on these inputs (null entries allowed) has to record itself. */
    public static boolean isRecording(Tensor... inputs) {
        if (!Context.get().gradEnabled()) {
            return false;
        }
        for (Tensor input : inputs) {
            if (input != null && input.requiresGrad()) {
                return true;
            }
        }
        return false;
    }

    /**
     * Finishes an op with one result.
     *
     * @param inputs those that gradients can flow to; null entries for absent ones
     * @param saved what the rule needs, retained only if the op is recorded
     * @return {@code output}
     */
    public static Tensor record(String op, Tensor[] inputs, Tensor output, Tensor[] saved, BackwardRule rule) {
        return record(op, inputs, new Tensor[] {output}, saved, rule)[0];
    }

    /** Finishes an op with several results. */
    public static Tensor[] record(String op, Tensor[] inputs, Tensor[] outputs, Tensor[] saved, BackwardRule rule) {
        Context context = Context.get();
        for (Tensor output : outputs) {
            checkFinite(op, context.path(), output);
        }
        if (isRecording(inputs)) {
            Node node = new Node(op, context.path(), context.nextNodeNumber(), inputs, outputs, saved, rule);
            Scope.current().record(node);
            for (int i = 0; i < outputs.length; i++) {
                outputs[i].setHistory(node, i);
            }
        }
        return outputs;
    }

    static void checkFinite(String op, String path, Tensor tensor) {
        if (checkFinite && tensor.dtype().isFloating() && !tensor.backend().isFinite(tensor)) {
            throw new NonFiniteException(TenonException.where(op, path) + ": produced a NaN or infinity: result="
                    + tensor + " (lower the learning rate, clip gradients, or check the inputs)");
        }
    }

    /**
     * Back-propagates from {@code root}. Leaves accumulate: a second backward over a new graph adds to their gradients.
     *
     * @param gradOutput gradient of the root, or null for 1 when the root has one element
     * @throws AutogradException when nothing was recorded, or this graph was already used by an earlier backward
     */
    public static void backward(Tensor root, Tensor gradOutput) {
        backward(root, gradOutput, null);
    }

    /**
     * The same for somebody who goes on with gradients while others are still computed.
     *
     * @param listener may be null
     */
    public static void backward(Tensor root, Tensor gradOutput, LeafListener listener) {
        root.checkOpen();
        Node start = root.node();
        if (start == null) {
            throw new AutogradException("backward: the tensor depends on no leaf that requires a gradient: tensor="
                    + root + " (call requireGrad(true) on parameters, and compute outside noGrad)");
        }
        PriorityQueue<Node> queue =
                new PriorityQueue<>(Comparator.comparingLong(Node::number).reversed());
        checkNotReleased(start);
        try (var _ = Scope.openLocal("backward")) {
            start.gradOutputs()[root.outputIndex()] =
                    seedGradient(root, gradOutput).retain();
        }
        queue.add(start);
        LeafUses uses = listener == null ? null : new LeafUses(start, listener);
        while (!queue.isEmpty()) {
            Node node = queue.poll();
            if (!queue.isEmpty() && queue.peek() == node) {
                continue;
            }
            visit(node, queue);
            if (uses != null) {
                uses.visited(node);
            }
        }
    }

    private static Tensor seedGradient(Tensor root, Tensor gradOutput) {
        if (gradOutput == null) {
            if (root.elementCount() != 1) {
                throw new ShapeException("backward: without a gradient the tensor must have exactly one element: shape="
                        + root.shape() + " (reduce it with mean or sum, or pass a gradient)");
            }
            return Tensor.full(root.shape(), root.dtype(), 1);
        }
        if (!gradOutput.shape().equals(root.shape()) || gradOutput.dtype() != root.dtype()) {
            throw new ShapeException("backward: the gradient must have the tensor's shape and dtype: gradient="
                    + gradOutput + ", tensor=" + root);
        }
        return gradOutput;
    }

    private static void visit(Node node, PriorityQueue<Node> queue) {
        Context context = Context.get();
        String outer = context.path();
        boolean nested = context.inBackward();
        context.setPath(node.path());
        context.setInBackward(true);
        try (var _ = GradMode.noGrad();
                var _ = Scope.openLocal("backward")) {
            Gradients gradients = new Gradients(node);
            node.rule().backward(node.saved(), gradients);
            gradients.deliver();
        } finally {
            context.setPath(outer);
            context.setInBackward(nested);
        }
        for (int i = 0; i < node.inputCount(); i++) {
            Node producer = node.inputNode(i);
            if (producer != null && producer.gradOutputs()[node.outputIndexOfInput(i)] != null) {
                queue.add(producer);
            }
        }
        node.release();
    }

    static void checkNotReleased(Node node) {
        if (node.isReleased()) {
            throw new AutogradException("backward: the graph through " + TenonException.where(node.op(), node.path())
                    + " was already used by a backward pass, which freed what it had saved (compute the"
                    + " forward pass again, or call backward once on the sum of the losses)");
        }
    }
}
