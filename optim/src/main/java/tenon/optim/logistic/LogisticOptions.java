package tenon.optim.logistic;

/**
 * What a logistic regression minimizes, and how exactly.
 *
 * @param c inverse strength of the penalty: the objective is ½·Σ w² + c·Σ loss
 * @param penalizeIntercept whether the intercepts belong to w in the penalty (LIBLINEAR) or not
 * @param tolerance the fit ends where no component of the gradient, divided by c and the number of samples, exceeds this
 * @param maxIterations steps of L-BFGS at most
 */
public record LogisticOptions(double c, boolean penalizeIntercept, double tolerance, int maxIterations) {
    public LogisticOptions {
        if (!(c > 0) || !Double.isFinite(c) || !(tolerance > 0) || maxIterations < 1) {
            throw new IllegalArgumentException(
                    "logistic regression: c and tolerance must be positive and maxIterations at least 1: c=" + c
                            + ", tolerance=" + tolerance + ", maxIterations=" + maxIterations);
        }
    }

    public static LogisticOptions of(double c) {
        return new LogisticOptions(c, false, 1e-5, 1000);
    }

    public LogisticOptions withC(double newC) {
        return new LogisticOptions(newC, penalizeIntercept, tolerance, maxIterations);
    }

    public LogisticOptions withPenalizedIntercept(boolean wanted) {
        return new LogisticOptions(c, wanted, tolerance, maxIterations);
    }
}
