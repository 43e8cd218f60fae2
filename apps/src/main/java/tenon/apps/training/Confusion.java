package tenon.apps.training;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import tenon.optim.metrics.ConfusionMatrix;

/**
 * Two classes of which one is taken for the other.
 *
 * @param truth name of the true class
 * @param predicted name of the class that it was taken for
 * @param count samples
 * @param share of the true class's samples
 */
record Confusion(String truth, String predicted, long count, double share) {
    /** The most frequent ones, the most frequent first, then those of the larger share. */
    static List<Confusion> most(ConfusionMatrix matrix, List<String> names, int limit) {
        List<Confusion> all = new ArrayList<>();
        for (int i = 0; i < matrix.classes(); i++) {
            long samples = matrix.actual(i);
            for (int j = 0; j < matrix.classes(); j++) {
                long count = matrix.count(i, j);
                if (i != j && count > 0) {
                    all.add(new Confusion(names.get(i), names.get(j), count, (double) count / samples));
                }
            }
        }
        return all.stream()
                .sorted(Comparator.comparingLong(Confusion::count)
                        .thenComparingDouble(Confusion::share)
                        .reversed())
                .limit(limit)
                .toList();
    }
}
