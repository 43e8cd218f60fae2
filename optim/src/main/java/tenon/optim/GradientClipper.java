package tenon.optim;

import tenon.engine.GradMode;
import tenon.engine.NonFiniteException;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;

/** Limits gradient norms. A global factor costs no pass of its own: it becomes the update kernels' rescale. */
final class GradientClipper {
    private final UpdateRules rules;
    private final Tensor squaredNorm;

    GradientClipper(UpdateRules rules, Tensor like) {
        this.rules = rules;
        this.squaredNorm = Tensor.empty(like.backend(), Shape.of(1, 1), like.dtype());
    }

    /** Returns the factor by which the update must multiply all gradients. */
    double clip(Tensor[] grad) {
        try (var _ = GradMode.noGrad();
                var _ = Scope.open("clip", squaredNorm.backend())) {
            double rescale = rules.rescale();
            if (rules.clipping() == UpdateRules.Clipping.EACH_NORM) {
                for (Tensor g : grad) {
                    addSquares(g, 0);
                    double factor = factor(Math.abs(rescale) * norm());
                    if (factor < 1) {
                        g.backend().scale(g, factor, g);
                    }
                }
                return rescale;
            }
            for (int i = 0; i < grad.length; i++) {
                addSquares(grad[i], i == 0 ? 0 : 1);
            }
            return rescale * factor(Math.abs(rescale) * norm());
        }
    }

    private void addSquares(Tensor g, double beta) {
        Backend backend = g.backend();
        Tensor row = g.view(Shape.of(1, Math.toIntExact(g.elementCount())));
        backend.gemm(false, true, 1, row, row, beta, squaredNorm);
    }

    private double norm() {
        double norm = Math.sqrt(squaredNorm.item());
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
