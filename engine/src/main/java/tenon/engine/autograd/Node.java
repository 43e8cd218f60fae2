package tenon.engine.autograd;

import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;

/**
 * One recorded op: where its gradients go, what it saved, and its backward rule. Gradients of its outputs collect here until the backward pass
 * reaches it.
 */
public final class Node {
    private final String op;
    private final String path;
    private final long number;
    private final Tensor[] inputs;
    private final Node[] inputNodes;
    private final boolean[] wanted;
    private final Shape[] outputShapes;
    private final DType[] outputTypes;
    private final Tensor[] gradOutputs;
    private Tensor[] saved;
    private BackwardRule rule;
    private boolean released;

    Node(String op, String path, long number, Tensor[] inputs, Tensor[] outputs, Tensor[] toSave, BackwardRule rule) {
        this.op = op;
        this.path = path;
        this.number = number;
        this.inputs = inputs;
        this.inputNodes = new Node[inputs.length];
        this.wanted = new boolean[inputs.length];
        for (int i = 0; i < inputs.length; i++) {
            // Handles of intermediate results may close before backward; their producers are what backward needs.
            inputNodes[i] = inputs[i] == null ? null : inputs[i].node();
            wanted[i] = inputs[i] != null && inputs[i].requiresGrad();
        }
        this.outputShapes = new Shape[outputs.length];
        this.outputTypes = new DType[outputs.length];
        for (int i = 0; i < outputs.length; i++) {
            outputShapes[i] = outputs[i].shape();
            outputTypes[i] = outputs[i].dtype();
        }
        this.gradOutputs = new Tensor[outputs.length];
        this.saved = new Tensor[toSave.length];
        for (int i = 0; i < toSave.length; i++) {
            saved[i] = toSave[i] == null ? null : toSave[i].retain();
        }
        this.rule = rule;
    }

    /** Name of the op, e.g. {@code conv2d}. */
    public String op() {
        return op;
    }

    /** Dotted name of the layer that recorded it, possibly empty. */
    public String path() {
        return path;
    }

    long number() {
        return number;
    }

    int inputCount() {
        return inputs.length;
    }

    Tensor input(int i) {
        return inputs[i];
    }

    Node inputNode(int i) {
        return inputNodes[i];
    }

    /** True when input {@code i} required a gradient at the time of recording: what the op saved was decided then. */
    boolean wanted(int i) {
        return wanted[i];
    }

    int outputIndexOfInput(int i) {
        return inputs[i].outputIndex();
    }

    Tensor[] gradOutputs() {
        return gradOutputs;
    }

    Shape outputShape(int i) {
        return outputShapes[i];
    }

    DType outputType(int i) {
        return outputTypes[i];
    }

    Tensor[] saved() {
        return saved;
    }

    BackwardRule rule() {
        return rule;
    }

    public boolean isReleased() {
        return released;
    }

    /** Bytes of memory this op keeps alive. */
    public long savedBytes() {
        long bytes = 0;
        for (Tensor tensor : saved) {
            bytes += tensor == null ? 0 : tensor.byteSize();
        }
        return bytes;
    }

    /** Frees what was saved and any gradient not yet used; harmless when repeated. */
    public void release() {
        if (released) {
            return;
        }
        released = true;
        for (Tensor tensor : saved) {
            if (tensor != null) {
                tensor.close();
            }
        }
        saved = new Tensor[0];
        rule = null;
        for (int i = 0; i < gradOutputs.length; i++) {
            if (gradOutputs[i] != null) {
                gradOutputs[i].close();
                gradOutputs[i] = null;
            }
        }
    }
}
