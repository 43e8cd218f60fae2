package tenon.engine.autograd;

import tenon.engine.Tensor;

/** Computes the gradients of one op's inputs. Stands beside the op's forward code and uses nothing but its arguments and constants. */
@FunctionalInterface
public interface BackwardRule {
    /**
     * @param saved the tensors the op saved, in its order (null where it saved null)
     * @param grads gradients of the outputs, and where those of the inputs go
     */
    void backward(Tensor[] saved, Gradients grads);
}
