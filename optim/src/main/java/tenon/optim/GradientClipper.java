package tenon.optim;

import tenon.engine.NonFiniteException;
import tenon.engine.Tensor;
import tenon.engine.backend.UpdateKernels;

/** Limits gradient norms. A global factor costs no pass of its own: it becomes the update kernels' rescale. */
final class GradientClipper {
    private final UpdateRules rules;
    private final UpdateKernels kernels;
    private final Tensor[] one = new Tensor[1];

    GradientClipper(UpdateRules rules, UpdateKernels kernels) {
        this.rules = rules;
        this.kernels = kernels;
    }

    /** Returns the factor by which the update must multiply all gradients. */
    double clip(Tensor[] grad) {
        double rescale = rules.rescale();
        if (rules.clipping() == UpdateRules.Clipping.GLOBAL_NORM) {
            return rescale * factor(Math.abs(rescale) * norm(grad));
        }
        for (Tensor g : grad) {
            one[0] = g;
            double factor = factor(Math.abs(rescale) * norm(one));
            if (factor < 1) {
                g.backend().scale(g, factor, g);
            }
        }
        return rescale;
    }

    private double norm(Tensor[] grad) {
        double norm = Math.sqrt(kernels.sumOfSquares(grad));
        if (!Double.isFinite(norm)) {
            throw new NonFiniteException("optimizer: a gradient holds NaN or infinity, or its norm overflows: norm="
                    + norm + " (lower the learning rate; Autograd.setCheckFinite(true) finds the op that made it)");
        }
        return norm;
    }

    private double factor(double norm) {
        return norm > rules.clipNorm() ? rules.clipNorm() / norm : 1;
    }
}
