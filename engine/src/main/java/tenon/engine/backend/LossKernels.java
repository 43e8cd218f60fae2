package tenon.engine.backend;

import tenon.engine.Tensor;

/**
 * Softmax and the losses. logits are [N, C], possibly BF16 while probabilities,
 * floating targets and losses are F32; each loss is the mean over the batch unless said otherwise, a one-element F32 (or F64) tensor,
 * accumulated in at least F32 in a fixed order.
 */
public interface LossKernels {
    /** Softmax over the last dimension, with the row maximum subtracted first. */
    void softmaxForward(Tensor input, Tensor output);

    /** gradInput = output·(gradOutput − Σ gradOutput·output), per row. */
    void softmaxBackward(Tensor output, Tensor gradOutput, Tensor gradInput);

    /**
     * loss = −(1/N)·Σ_n Σ_c q(n,c)·log softmax(logits)(n,c) with q = (1 − smoothing)·target + smoothing / C.
     *
     * @param target I32 [N] class indices, already checked to lie in [0, C), or floating [N, C] probabilities
     * @param probabilities out: softmax of the logits, kept for backward; or null
     */
    void softmaxCrossEntropyForward(Tensor logits, Tensor target, double smoothing, Tensor loss, Tensor probabilities);

    /** gradLogits = gradLoss·(probabilities·Σ_c q − q) / N. */
    void softmaxCrossEntropyBackward(
            Tensor probabilities, Tensor target, double smoothing, Tensor gradLoss, Tensor gradLogits);

    /** loss = mean over all elements of max(x,0) − x·t + log(1 + e^−|x|), target of the logits' shape. */
    void sigmoidCrossEntropyForward(Tensor logits, Tensor target, Tensor loss);

    /** gradLogits = gradLoss·(sigmoid(x) − t) / elements. */
    void sigmoidCrossEntropyBackward(Tensor logits, Tensor target, Tensor gradLoss, Tensor gradLogits);

    /** loss = mean over all elements of (x − t)². */
    void meanSquaredErrorForward(Tensor input, Tensor target, Tensor loss);

    /** gradInput = gradLoss·2·(x − t) / elements. */
    void meanSquaredErrorBackward(Tensor input, Tensor target, Tensor gradLoss, Tensor gradInput);

    /**
     * The first row whose index lies outside [0, classes), or −1. indices is I32 [N]. A back-end that would have to wait for it says −1 while a step is recorded, and under
     * {@link tenon.engine.LateChecks}: then the loss is NaN.
     */
    long findBadIndex(Tensor indices, int classes);
}
