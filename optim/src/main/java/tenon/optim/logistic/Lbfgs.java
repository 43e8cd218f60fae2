package tenon.optim.logistic;

/**
 * Minimizes a smooth function of many variables by limited-memory BFGS (Nocedal and Wright, "Numerical Optimization", 2nd edition, algorithm 7.5) with a line
 * search for the strong Wolfe conditions (algorithms 3.5 and 3.6). Deterministic: the same function and start give the same bits.
 */
final class Lbfgs {
    private static final double SUFFICIENT_DECREASE = 1e-4;
    private static final double CURVATURE = 0.9;
    /** Relative error of values: logits are F32. */
    private static final double ROUNDING = 1e-7;

    private static final double FLAT_DECREASE = 0.1;
    private static final int MAX_TRIALS = 30;

    /** Value at x, and its gradient, which it overwrites. */
    interface Objective {
        double evaluate(double[] x, double[] gradient);
    }

    /**
     * @param x the best point found
     * @param iterations steps taken
     * @param evaluations calls of the objective
     * @param converged whether the gradient became as small as was asked for; else the iterations ran out, or the line search found nothing better, as happens at the limit of the
     *     objective's own precision
     */
    record Minimum(double[] x, double value, double gradientNorm, int iterations, int evaluations, boolean converged) {}

    private final Objective objective;
    private final int memory;
    private final int n;
    private final double[][] steps;
    private final double[][] changes;
    private final double[] scale;
    private final double[] alpha;
    private int stored;
    private int evaluations;

    private double[] x;
    private double[] gradient;
    private double value;
    private double[] trial;
    private double[] trialGradient;
    private double trialValue;
    private final double[] direction;

    private Lbfgs(Objective objective, double[] start, int memory) {
        this.objective = objective;
        this.memory = memory;
        n = start.length;
        steps = new double[memory][n];
        changes = new double[memory][n];
        scale = new double[memory];
        alpha = new double[memory];
        x = start.clone();
        gradient = new double[n];
        trial = new double[n];
        trialGradient = new double[n];
        direction = new double[n];
    }

    /**
     * @param tolerance ends where the gradient's largest component is at most this
     * @param memory pairs of step and change of gradient that stand for the curvature; 10 is usual
     */
    static Minimum minimize(Objective objective, double[] start, double tolerance, int maxIterations, int memory) {
        return new Lbfgs(objective, start, memory).run(tolerance, maxIterations);
    }

    private Minimum run(double tolerance, int maxIterations) {
        value = evaluate(x, gradient);
        int iteration = 0;
        while (iteration < maxIterations && largest(gradient) > tolerance) {
            findDirection();
            if (!search(iteration == 0 ? Math.min(1, 1 / norm(gradient)) : 1)) {
                if (stored == 0) {
                    break;
                }
                // The model of the curvature may be spoilt by rounding: once more along the gradient itself.
                stored = 0;
                continue;
            }
            remember();
            swap();
            iteration++;
        }
        double norm = largest(gradient);
        return new Minimum(x, value, norm, iteration, evaluations, norm <= tolerance);
    }

    private double evaluate(double[] at, double[] into) {
        evaluations++;
        return objective.evaluate(at, into);
    }

    /** Two-loop recursion, algorithm 7.4; pair i is the i-th newest at (stored − 1 − i) mod memory. */
    private void findDirection() {
        for (int i = 0; i < n; i++) {
            direction[i] = -gradient[i];
        }
        int first = Math.max(0, stored - memory);
        for (int i = stored - 1; i >= first; i--) {
            int at = i % memory;
            alpha[at] = scale[at] * dot(steps[at], direction);
            add(-alpha[at], changes[at], direction);
        }
        if (stored > first) {
            int newest = (stored - 1) % memory;
            double factor = 1 / (scale[newest] * dot(changes[newest], changes[newest]));
            for (int i = 0; i < n; i++) {
                direction[i] *= factor;
            }
        }
        for (int i = first; i < stored; i++) {
            int at = i % memory;
            double beta = scale[at] * dot(changes[at], direction);
            add(alpha[at] - beta, steps[at], direction);
        }
    }

    /** Leaves in {@code trial} a point along the direction that fulfils the strong Wolfe conditions; false if there is none. */
    private boolean search(double firstStep) {
        double slope = dot(gradient, direction);
        if (!(slope < 0)) {
            return false;
        }
        double low = 0;
        double lowValue = value;
        double lowSlope = slope;
        double high = Double.POSITIVE_INFINITY;
        double highValue = Double.NaN;
        double step = firstStep;
        for (int i = 0; i < MAX_TRIALS; i++) {
            double trialSlope = tryStep(step);
            if (isFlat(slope, trialSlope)) {
                return true;
            }
            if (!(trialValue <= value + SUFFICIENT_DECREASE * step * slope) || i > 0 && trialValue >= lowValue) {
                high = step;
                highValue = trialValue;
            } else if (Math.abs(trialSlope) <= -CURVATURE * slope) {
                return true;
            } else if (trialSlope * (high - low) >= 0) {
                // It rises towards the high end, so the minimum lies between this point and the old low end.
                high = low;
                highValue = lowValue;
                low = step;
                lowValue = trialValue;
                lowSlope = trialSlope;
            } else {
                low = step;
                lowValue = trialValue;
                lowSlope = trialSlope;
            }
            step = Double.isInfinite(high) ? 2 * step : between(low, lowValue, lowSlope, high, highValue);
            if (step == low || step == high) {
                break;
            }
        }
        // A point that only falls is still progress; the conditions failed at the limit of precision.
        if (low > 0 && lowValue < value) {
            tryStep(low);
            return true;
        }
        return false;
    }

    /**
     * Near the minimum differences of the value drown in its rounding, while slopes are still exact: there these decide alone (Hager and Zhang 2005, "A new conjugate gradient
     * method with guaranteed descent and an efficient line search", the approximate Wolfe conditions).
     */
    private boolean isFlat(double slope, double trialSlope) {
        return Math.abs(trialValue - value) <= ROUNDING * Math.abs(value)
                && trialSlope >= CURVATURE * slope
                && trialSlope <= (2 * FLAT_DECREASE - 1) * slope;
    }

    /** Minimum of the parabola through both ends and the slope at the low one, kept off the ends. */
    private static double between(double low, double lowValue, double lowSlope, double high, double highValue) {
        double width = high - low;
        double curvature = (highValue - lowValue - lowSlope * width) / (width * width);
        double step = curvature > 0 && Double.isFinite(curvature) ? -lowSlope / (2 * curvature) : width / 2;
        double share = Math.clamp(step / width, 0.1, 0.9);
        return low + share * width;
    }

    private double tryStep(double step) {
        for (int i = 0; i < n; i++) {
            trial[i] = x[i] + step * direction[i];
        }
        trialValue = evaluate(trial, trialGradient);
        return dot(trialGradient, direction);
    }

    private void remember() {
        int at = stored % memory;
        double[] step = steps[at];
        double[] change = changes[at];
        for (int i = 0; i < n; i++) {
            step[i] = trial[i] - x[i];
            change[i] = trialGradient[i] - gradient[i];
        }
        double product = dot(step, change);
        if (product > 1e-12 * norm(step) * norm(change)) {
            scale[at] = 1 / product;
            stored++;
        } else {
            // Not convex along this step; and its place was the oldest pair's.
            stored = 0;
        }
    }

    private void swap() {
        double[] oldX = x;
        double[] oldGradient = gradient;
        x = trial;
        gradient = trialGradient;
        value = trialValue;
        trial = oldX;
        trialGradient = oldGradient;
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static double norm(double[] a) {
        return Math.sqrt(dot(a, a));
    }

    private static double largest(double[] a) {
        double largest = 0;
        for (double value : a) {
            // NaN stays: it is no small gradient.
            largest = Math.abs(value) <= largest ? largest : Math.abs(value);
        }
        return largest;
    }

    private static void add(double factor, double[] from, double[] to) {
        for (int i = 0; i < to.length; i++) {
            to[i] += factor * from[i];
        }
    }
}
