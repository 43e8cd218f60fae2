package tenon.optim.logistic;

/** The loss of one sample, −log of its class's probability, with its derivative. */
final class Likelihood {
    private Likelihood() {}

    /** Softmax, or for two classes the sigmoid of the one logit. */
    static double[] probabilities(double[] logits, int classes) {
        if (classes == 2) {
            double one = 1 / (1 + Math.exp(-logits[0]));
            return new double[] {1 - one, one};
        }
        double largest = Double.NEGATIVE_INFINITY;
        for (double logit : logits) {
            largest = Math.max(largest, logit);
        }
        double sum = 0;
        double[] probabilities = new double[classes];
        for (int i = 0; i < classes; i++) {
            probabilities[i] = Math.exp(logits[i] - largest);
            sum += probabilities[i];
        }
        for (int i = 0; i < classes; i++) {
            probabilities[i] /= sum;
        }
        return probabilities;
    }

    /**
     * Loss of logits [from, from + rows) for the class, times the weight; puts the derivative in place of the logits.
     */
    static double lossAndGradient(float[] logits, int from, int rows, int label, double weight) {
        if (rows == 1) {
            double x = label == 1 ? logits[from] : -logits[from];
            double wrong = 1 / (1 + Math.exp(x));
            logits[from] = (float) (weight * (label == 1 ? -wrong : wrong));
            // log(1 + e^−x) without overflow.
            return weight * (Math.max(-x, 0) + Math.log1p(Math.exp(-Math.abs(x))));
        }
        double largest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < rows; i++) {
            largest = Math.max(largest, logits[from + i]);
        }
        double sum = 0;
        for (int i = 0; i < rows; i++) {
            sum += Math.exp(logits[from + i] - largest);
        }
        double loss = largest + Math.log(sum) - logits[from + label];
        for (int i = 0; i < rows; i++) {
            double probability = Math.exp(logits[from + i] - largest) / sum;
            logits[from + i] = (float) (weight * (i == label ? probability - 1 : probability));
        }
        return weight * loss;
    }

    /** The most probable class of logits [from, from + rows). */
    static int best(float[] logits, int from, int rows) {
        if (rows == 1) {
            return logits[from] > 0 ? 1 : 0;
        }
        int best = 0;
        for (int i = 1; i < rows; i++) {
            best = logits[from + i] > logits[from + best] ? i : best;
        }
        return best;
    }
}
