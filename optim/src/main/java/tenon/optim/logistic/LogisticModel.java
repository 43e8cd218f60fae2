package tenon.optim.logistic;

import tenon.engine.ShapeException;

/**
 * Weights of a logistic regression. Two classes have one row, whose logit is that of class 1; more have a row each, and softmax between them.
 *
 * @param weights one row of D per logit
 * @param intercepts one per row
 * @param classes at least 2
 */
public record LogisticModel(float[][] weights, float[] intercepts, int classes) {
    public LogisticModel {
        int rows = rows(classes);
        if (classes < 2 || weights.length != rows || intercepts.length != rows) {
            throw new ShapeException("logistic regression: " + classes + " classes need " + rows + " rows: weights="
                    + weights.length + ", intercepts=" + intercepts.length);
        }
    }

    static int rows(int classes) {
        return classes == 2 ? 1 : classes;
    }

    public int features() {
        return weights[0].length;
    }

    /** Probability of each class for one row of features. */
    public double[] probabilities(float[] features) {
        double[] logits = new double[weights.length];
        for (int row = 0; row < logits.length; row++) {
            double sum = intercepts[row];
            for (int i = 0; i < features.length; i++) {
                sum += (double) weights[row][i] * features[i];
            }
            logits[row] = sum;
        }
        return Likelihood.probabilities(logits, classes);
    }

    /** Σ w² without intercepts. */
    public double squaredNorm() {
        double sum = 0;
        for (float[] row : weights) {
            for (float weight : row) {
                sum += (double) weight * weight;
            }
        }
        return sum;
    }
}
