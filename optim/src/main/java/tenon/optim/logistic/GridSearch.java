package tenon.optim.logistic;

import java.util.ArrayList;
import java.util.List;
import tenon.engine.ShapeException;

/** Chooses the strength of the penalty by stratified k-fold cross-validation, as accuracy on the fold left out. */
public final class GridSearch {
    private GridSearch() {}

    /**
     * One candidate.
     *
     * @param accuracies on each fold left out
     */
    public record Candidate(double c, double[] accuracies) {
        public double mean() {
            double sum = 0;
            for (double accuracy : accuracies) {
                sum += accuracy;
            }
            return sum / accuracies.length;
        }
    }

    /**
     * @param best the candidate of largest mean accuracy, the first of equals
     * @param fit of all rows with its c
     */
    public record Result(List<Candidate> candidates, Candidate best, LogisticRegression.Fit fit) {}

    /** Told of every fit, for a progress bar. */
    public interface Listener {
        void fitted(int done, int all);
    }

    /**
     * @param labels those of the problem
     * @param options all but c
     */
    public static Result search(
            LogisticRegression problem,
            int[] labels,
            double[] cs,
            int folds,
            LogisticOptions options,
            Listener listener) {
        int[] fold = stratifiedFolds(labels, folds);
        int fits = cs.length * folds + 1;
        int done = 0;
        List<Candidate> candidates = new ArrayList<>();
        Candidate best = null;
        for (double c : cs) {
            double[] accuracies = new double[folds];
            for (int k = 0; k < folds; k++) {
                boolean[] leftOut = new boolean[labels.length];
                for (int i = 0; i < labels.length; i++) {
                    leftOut[i] = fold[i] == k;
                }
                int[] predicted =
                        problem.predict(problem.fit(options.withC(c), leftOut).model());
                accuracies[k] = accuracy(predicted, labels, leftOut);
                listener.fitted(++done, fits);
            }
            Candidate candidate = new Candidate(c, accuracies);
            candidates.add(candidate);
            best = best == null || candidate.mean() > best.mean() ? candidate : best;
        }
        LogisticRegression.Fit fit = problem.fit(options.withC(best.c()));
        listener.fitted(++done, fits);
        return new Result(candidates, best, fit);
    }

    /**
     * The fold of every row: the rows of each class, in their order, are cut into blocks whose sizes differ by one at most.
     */
    static int[] stratifiedFolds(int[] labels, int folds) {
        int classes = 0;
        for (int label : labels) {
            classes = Math.max(classes, label + 1);
        }
        int[] count = new int[classes];
        for (int label : labels) {
            count[label]++;
        }
        for (int label = 0; label < classes; label++) {
            if (folds < 2 || count[label] > 0 && count[label] < folds) {
                throw new ShapeException(
                        "grid search: every class must have a row for each of at least two folds: folds=" + folds
                                + ", class=" + label + ", rows=" + count[label]);
            }
        }
        int[] seen = new int[classes];
        int[] fold = new int[labels.length];
        for (int i = 0; i < labels.length; i++) {
            int label = labels[i];
            int larger = count[label] % folds;
            int size = count[label] / folds;
            int at = seen[label]++;
            fold[i] = at < larger * (size + 1) ? at / (size + 1) : larger + (at - larger * (size + 1)) / size;
        }
        return fold;
    }

    private static double accuracy(int[] predicted, int[] labels, boolean[] counted) {
        int right = 0;
        int all = 0;
        for (int i = 0; i < labels.length; i++) {
            if (counted[i]) {
                all++;
                right += predicted[i] == labels[i] ? 1 : 0;
            }
        }
        return (double) right / all;
    }
}
