package tenon.optim.logistic;

import java.lang.foreign.MemorySegment;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.Tensor;
import tenon.engine.ops.Activation;

/**
 * Logistic regression on samples that stay in the back-end's memory: products with the features run there in F32, sums over samples and the search for
 * the minimum in F64 on the host. The objective is strictly convex, so the result does not depend on a start or on luck; it is deterministic besides.
 *
 * <p>Closes nothing that it is given; its own tensors live until {@link #close}.
 */
public final class LogisticRegression implements AutoCloseable {
    private static final int MEMORY = 10;

    private final Tensor features;
    private final int[] labels;
    private final int classes;
    private final int rows;
    private final int n;
    private final int d;
    private final Tensor weight;
    private final Tensor intercept;
    private final Tensor logits;
    private final Tensor gradWeight;
    private final Tensor gradIntercept;
    private final float[] hostLogits;
    private final float[] hostWeight;
    private final float[] hostIntercept;

    /**
     * The result of {@link #fit}.
     *
     * @param objective ½·Σ w² + c·Σ loss at the model
     * @param converged whether the tolerance was reached
     */
    public record Fit(LogisticModel model, double objective, int iterations, boolean converged) {}

    /**
     * @param features F32 [N, D]
     * @param labels class of each row, in [0, classes)
     */
    public LogisticRegression(Tensor features, int[] labels, int classes) {
        if (features.shape().rank() != 2 || features.dtype() != DType.F32) {
            throw new ShapeException("logistic regression: features must be F32 [N, D]: " + features);
        }
        this.features = features;
        this.labels = labels.clone();
        this.classes = classes;
        n = features.shape().dim(0);
        d = features.shape().dim(1);
        rows = LogisticModel.rows(classes);
        if (classes < 2 || labels.length != n || n == 0) {
            throw new ShapeException("logistic regression: there must be a label per row and at least two classes:"
                    + " rows=" + n + ", labels=" + labels.length + ", classes=" + classes);
        }
        for (int i = 0; i < n; i++) {
            if (labels[i] < 0 || labels[i] >= classes) {
                throw new ShapeException("logistic regression: labels must lie in [0, " + classes + "): row=" + i
                        + ", label=" + labels[i]);
            }
        }
        hostLogits = new float[Math.multiplyExact(n, rows)];
        hostWeight = new float[Math.multiplyExact(rows, d)];
        hostIntercept = new float[rows];
        try (Scope _ = Scope.open("logistic regression", features.backend())) {
            weight = Tensor.empty(Shape.of(rows, d), DType.F32).retain();
            intercept = Tensor.empty(Shape.of(rows), DType.F32).retain();
            logits = Tensor.empty(Shape.of(n, rows), DType.F32).retain();
            gradWeight = Tensor.empty(Shape.of(rows, d), DType.F32).retain();
            gradIntercept = Tensor.empty(Shape.of(rows), DType.F32).retain();
        }
    }

    /** Fits all rows. */
    public Fit fit(LogisticOptions options) {
        return fit(options, new boolean[n]);
    }

    /** @param leftOut rows that do not count */
    public Fit fit(LogisticOptions options, boolean[] leftOut) {
        int used = 0;
        for (boolean out : leftOut) {
            used += out ? 0 : 1;
        }
        if (leftOut.length != n || used == 0) {
            throw new ShapeException("logistic regression: some of the " + n + " rows must be used: given="
                    + leftOut.length + ", used=" + used);
        }
        // Divided by c and the number of rows, so that one tolerance fits all.
        double penalty = 1 / (options.c() * used);
        double share = 1.0 / used;
        Lbfgs.Minimum minimum = Lbfgs.minimize(
                (x, gradient) -> evaluate(x, gradient, leftOut, share, penalty, options.penalizeIntercept()),
                new double[rows * (d + 1)],
                options.tolerance(),
                options.maxIterations(),
                MEMORY);
        float[][] weights = new float[rows][d];
        float[] intercepts = new float[rows];
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < d; i++) {
                weights[row][i] = (float) minimum.x()[row * d + i];
            }
            intercepts[row] = (float) minimum.x()[rows * d + row];
        }
        return new Fit(
                new LogisticModel(weights, intercepts, classes),
                minimum.value() / penalty,
                minimum.iterations(),
                minimum.converged());
    }

    /** x holds the rows of weights, then the intercepts. */
    private double evaluate(
            double[] x, double[] gradient, boolean[] leftOut, double share, double penalty, boolean penalizeIntercept) {
        computeLogits(x);
        double loss = 0;
        for (int i = 0; i < n; i++) {
            loss += Likelihood.lossAndGradient(hostLogits, i * rows, rows, labels[i], leftOut[i] ? 0 : share);
        }
        logits.upload(hostLogits);
        features.backend().dense().backwardWeight(features, logits, gradWeight, gradIntercept);
        gradWeight.download(MemorySegment.ofArray(hostWeight));
        gradIntercept.download(MemorySegment.ofArray(hostIntercept));
        double squares = 0;
        for (int i = 0; i < rows * d; i++) {
            squares += x[i] * x[i];
            gradient[i] = hostWeight[i] + penalty * x[i];
        }
        for (int row = 0; row < rows; row++) {
            double value = x[rows * d + row];
            squares += penalizeIntercept ? value * value : 0;
            gradient[rows * d + row] = hostIntercept[row] + (penalizeIntercept ? penalty * value : 0);
        }
        return loss + penalty * squares / 2;
    }

    private void computeLogits(double[] x) {
        for (int i = 0; i < rows * d; i++) {
            hostWeight[i] = (float) x[i];
        }
        for (int row = 0; row < rows; row++) {
            hostIntercept[row] = (float) x[rows * d + row];
        }
        computeLogits();
    }

    private void computeLogits() {
        weight.upload(hostWeight);
        intercept.upload(hostIntercept);
        features.backend().dense().forward(features, weight, intercept, Activation.NONE, logits);
        logits.download(MemorySegment.ofArray(hostLogits));
    }

    /** The most probable class of every row. */
    public int[] predict(LogisticModel model) {
        if (model.features() != d || model.classes() != classes) {
            throw new ShapeException("logistic regression: the model must be of as many features and classes: model="
                    + model.features() + " and " + model.classes() + ", data=" + d + " and " + classes);
        }
        for (int row = 0; row < rows; row++) {
            System.arraycopy(model.weights()[row], 0, hostWeight, row * d, d);
            hostIntercept[row] = model.intercepts()[row];
        }
        computeLogits();
        int[] best = new int[n];
        for (int i = 0; i < n; i++) {
            best[i] = Likelihood.best(hostLogits, i * rows, rows);
        }
        return best;
    }

    @Override
    public void close() {
        weight.close();
        intercept.close();
        logits.close();
        gradWeight.close();
        gradIntercept.close();
    }
}
