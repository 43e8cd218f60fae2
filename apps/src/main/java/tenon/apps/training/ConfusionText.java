package tenon.apps.training;

import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import tenon.optim.metrics.ConfusionMatrix;

/** A confusion matrix as a table: rows are true classes, columns predicted ones, both numbered as in the row labels. */
final class ConfusionText {
    private ConfusionText() {}

    static String of(ConfusionMatrix matrix, List<String> names) {
        int classes = matrix.classes();
        int nameWidth = names.stream().mapToInt(String::length).max().orElse(0);
        long largest = IntStream.range(0, classes)
                .mapToLong(i -> IntStream.range(0, classes)
                        .mapToLong(j -> matrix.count(i, j))
                        .max()
                        .orElse(0))
                .max()
                .orElse(0);
        int cell = 1
                + Math.max(
                        Long.toString(largest).length(),
                        Integer.toString(classes - 1).length());
        int number = Integer.toString(classes - 1).length();
        StringBuilder out = new StringBuilder(" ".repeat(number + 1 + nameWidth));
        for (int j = 0; j < classes; j++) {
            out.append(String.format("%" + cell + "d", j));
        }
        for (int i = 0; i < classes; i++) {
            out.append(String.format(Locale.ROOT, "%n%" + number + "d %-" + nameWidth + "s", i, names.get(i)));
            for (int j = 0; j < classes; j++) {
                out.append(String.format(Locale.ROOT, "%" + cell + "d", matrix.count(i, j)));
            }
        }
        return out.toString();
    }
}
