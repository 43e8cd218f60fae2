package tenon.engine.ops;

import static tenon.engine.autograd.Autograd.save;

import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.autograd.Autograd;
import tenon.engine.backend.Backend;
import tenon.engine.backend.OpKind;

/** Softmax and losses; every loss is a scalar mean. */
public final class Losses {
    private Losses() {}

    /** Softmax over the last dimension. Saves its output. */
    public static Tensor softmax(Tensor input) {
        Backend backend = Checks.backend("softmax", OpKind.SOFTMAX, input);
        if (input.shape().rank() < 1) {
            throw new ShapeException(
                    TenonException.where("softmax") + ": input must have a last dimension: input=" + input.shape());
        }
        Tensor output = Tensor.empty(backend, input.shape(), input.dtype());
        backend.losses().softmaxForward(input, output);
        return Autograd.record(
                "softmax",
                save(input),
                output,
                save(output),
                (saved, grads) -> backend.losses().softmaxBackward(saved[0], grads.output(), grads.target(0)));
    }

    /**
     * Mean over the batch of −Σ_c q_c·log softmax(logits)_c, with q = (1 − smoothing)·target + smoothing / C (Szegedy et al. 2016, section 7).
     *
     * @param logits [N, C]; BF16 logits have an F32 loss, and a BF16 gradient
     * @param target class indices I32 [N], or probabilities [N, C] of the loss's dtype (no gradient flows to them)
     * @param smoothing label smoothing in [0, 1)
     */
    public static Tensor softmaxCrossEntropy(Tensor logits, Tensor target, double smoothing) {
        String op = "softmax_cross_entropy";
        Backend backend = Checks.backend(op, OpKind.SOFTMAX_CROSS_ENTROPY, logits, target);
        Checks.rank(op, "logits", logits, 2, "[N, C]");
        requireBatch(op, logits);
        if (!(smoothing >= 0 && smoothing < 1)) {
            throw new IllegalArgumentException(
                    TenonException.where(op) + ": smoothing must lie in [0, 1): smoothing=" + smoothing);
        }
        int classes = logits.shape().dim(1);
        if (target.dtype() == DType.I32) {
            Checks.shape(op, "target", target, Shape.of(logits.shape().dim(0)));
            long bad = backend.losses().findBadIndex(target, classes);
            if (bad >= 0) {
                throw new ShapeException(TenonException.where(op) + ": class indices must lie in [0, " + classes
                        + "): row=" + bad + ", index=" + target.toIntArray()[(int) bad]);
            }
        } else {
            Checks.dtype(op, "target", target, lossType(logits));
            Checks.sameShape(op, logits, target);
        }
        Tensor loss = Tensor.empty(backend, Shape.scalar(), lossType(logits));
        boolean recording = Autograd.isRecording(logits);
        Tensor probabilities = recording ? Tensor.empty(backend, logits.shape(), lossType(logits)) : null;
        backend.losses().softmaxCrossEntropyForward(logits, target, smoothing, loss, probabilities);
        Autograd.record(
                op,
                save(logits),
                loss,
                save(probabilities, target),
                (saved, grads) -> backend.losses()
                        .softmaxCrossEntropyBackward(saved[0], saved[1], smoothing, grads.output(), grads.target(0)));
        if (recording) {
            probabilities.close();
        }
        return loss;
    }

    /** {@link #softmaxCrossEntropy(Tensor, Tensor, double)} without smoothing. */
    public static Tensor softmaxCrossEntropy(Tensor logits, Tensor target) {
        return softmaxCrossEntropy(logits, target, 0);
    }

    /**
     * Mean over all elements of the binary cross-entropy of sigmoid(logits), in the form that does not overflow.
     *
     * @param target probabilities in [0, 1] of the logits' shape and the loss's dtype: F32 also for BF16 logits
     */
    public static Tensor sigmoidCrossEntropy(Tensor logits, Tensor target) {
        String op = "sigmoid_cross_entropy";
        Backend backend = pair(op, OpKind.SIGMOID_CROSS_ENTROPY, logits, target);
        Tensor loss = Tensor.empty(backend, Shape.scalar(), lossType(logits));
        backend.losses().sigmoidCrossEntropyForward(logits, target, loss);
        return Autograd.record(
                op,
                save(logits),
                loss,
                save(logits, target),
                (saved, grads) -> backend.losses()
                        .sigmoidCrossEntropyBackward(saved[0], saved[1], grads.output(), grads.target(0)));
    }

    /** Mean over all elements of (input − target)²; the target has the input's shape, and is F32 also for a BF16 input. */
    public static Tensor meanSquaredError(Tensor input, Tensor target) {
        String op = "mean_squared_error";
        Backend backend = pair(op, OpKind.MSE, input, target);
        Tensor loss = Tensor.empty(backend, Shape.scalar(), lossType(input));
        backend.losses().meanSquaredErrorForward(input, target, loss);
        return Autograd.record(
                op,
                save(input),
                loss,
                save(input, target),
                (saved, grads) ->
                        backend.losses().meanSquaredErrorBackward(saved[0], saved[1], grads.output(), grads.target(0)));
    }

    private static Backend pair(String op, OpKind kind, Tensor a, Tensor b) {
        Backend backend = Checks.backend(op, kind, a, b);
        Checks.dtype(op, "target", b, lossType(a));
        Checks.sameShape(op, a, b);
        requireBatch(op, a);
        return backend;
    }

    private static void requireBatch(String op, Tensor tensor) {
        if (tensor.elementCount() == 0) {
            throw new ShapeException(
                    TenonException.where(op) + ": a mean needs at least one element: shape=" + tensor.shape());
        }
    }

    /** Also of probabilities and floating targets. */
    private static DType lossType(Tensor logits) {
        return logits.dtype() == DType.BF16 ? DType.F32 : logits.dtype();
    }
}
