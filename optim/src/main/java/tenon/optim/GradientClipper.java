package tenon.optim;

import tenon.engine.DType;
import tenon.engine.NonFiniteException;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.StepCapture;
import tenon.engine.backend.UpdateKernels;

/**
 * Limits gradient norms. The factor of a joint norm costs no pass of its own: the update kernels multiply by it, and read it where the back-end has computed it, so that a step can be recorded.
 */
final class GradientClipper {
    private final UpdateRules rules;
    private final UpdateKernels kernels;
    /** Null where nothing is recorded. */
    private final StepCapture capture;
    /** Factor and norm of {@link UpdateKernels#clipFactor}; null where each gradient has a norm of its own. */
    private final Tensor clip;

    private final Tensor[] one = new Tensor[1];

    /** Allocates in the current scope. */
    GradientClipper(UpdateRules rules, Backend backend) {
        this.rules = rules;
        kernels = backend.updates();
        capture = backend.capture();
        boolean joint = rules.clipping() == UpdateRules.Clipping.GLOBAL_NORM;
        clip = joint ? Tensor.empty(backend, Shape.of(2), DType.F32) : null;
    }

    /**
     * Clips, or computes what an update has to be given for that: {@link #clip}, and {@link #rescale}.
     *
     * @throws NonFiniteException when a norm is not finite, except while a step is recorded: then updates do nothing in its replays, and {@link #check} finds out
     */
    void clip(Tensor[] grad) {
        if (clip != null) {
            kernels.clipFactor(grad, rules.rescale(), rules.clipNorm(), clip);
            if (capture == null || !capture.isRecording()) {
                float[] values = clip.toFloatArray();
                check(values[0], values[1]);
            }
            return;
        }
        for (Tensor g : grad) {
            one[0] = g;
            double norm = Math.sqrt(kernels.sumOfSquares(one));
            if (!Double.isFinite(norm)) {
                throw failure(norm);
            }
            double rescaled = Math.abs(rules.rescale()) * norm;
            if (rescaled > rules.clipNorm()) {
                g.backend().scale(g, rules.clipNorm() / rescaled, g);
            }
        }
    }

    Tensor clip() {
        return clip;
    }

    /** What is left for the update to multiply by. */
    double rescale() {
        return clip != null ? 1 : rules.rescale();
    }

    static void check(float factor, float norm) {
        if (Float.isNaN(factor)) {
            throw failure(norm);
        }
    }

    private static NonFiniteException failure(double norm) {
        return new NonFiniteException("optimizer: a gradient holds NaN or infinity, or its norm overflows: norm=" + norm
                + " (lower the learning rate; Autograd.setCheckFinite(true) finds the op that made it)");
    }
}
