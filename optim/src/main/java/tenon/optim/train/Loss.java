package tenon.optim.train;

import tenon.engine.Tensor;
import tenon.engine.ops.Losses;

/** What training makes small: from a network's output and the batch's target to a scalar mean over the batch. */
@FunctionalInterface
public interface Loss {
    /**
     * @param logits what the network put out, [N, C]
     * @param target what the batch holds, e.g. class indices I32 [N]
     */
    Tensor apply(Tensor logits, Tensor target);

    /** Softmax and cross-entropy in one: class indices I32 [N] or probabilities [N, C]. */
    static Loss crossEntropy() {
        return crossEntropy(0);
    }

    /** @param smoothing label smoothing in [0, 1), see {@link Losses#softmaxCrossEntropy(Tensor, Tensor, double)} */
    static Loss crossEntropy(double smoothing) {
        return (logits, target) -> Losses.softmaxCrossEntropy(logits, target, smoothing);
    }

    /** Sigmoid and binary cross-entropy in one: probabilities of the logits' shape. */
    static Loss sigmoidCrossEntropy() {
        return Losses::sigmoidCrossEntropy;
    }

    static Loss meanSquaredError() {
        return Losses::meanSquaredError;
    }
}
