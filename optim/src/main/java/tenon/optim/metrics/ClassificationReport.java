package tenon.optim.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * Precision, recall and F1 per class, and their averages weighted by support, printed as scikit-learn 0.19's {@code classification_report} does. A
 * ratio with nothing below the line is 0.
 */
public record ClassificationReport(List<Row> rows) {
    private static final String AVERAGE = "avg / total";

    /**
     * @param precision true positives / predicted
     * @param recall true positives / support
     * @param f1 2·precision·recall / (precision + recall)
     * @param support samples of the class
     */
    public record Row(String name, double precision, double recall, double f1, long support) {}

    public ClassificationReport {
        rows = List.copyOf(rows);
    }

    /** @param names of the classes, in the order of their indices */
    public static ClassificationReport of(ConfusionMatrix confusion, List<String> names) {
        if (names.size() != confusion.classes()) {
            throw new IllegalArgumentException("classification report: there must be a name for each class: names="
                    + names.size() + ", classes=" + confusion.classes());
        }
        List<Row> rows = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            long hits = confusion.count(i, i);
            double precision = ratio(hits, confusion.predicted(i));
            double recall = ratio(hits, confusion.actual(i));
            double f1 = ratio(2 * precision * recall, precision + recall);
            rows.add(new Row(names.get(i), precision, recall, f1, confusion.actual(i)));
        }
        return new ClassificationReport(rows);
    }

    private static double ratio(double part, double whole) {
        return whole == 0 ? 0 : part / whole;
    }

    /** The row {@code avg / total}: means weighted by support, and the sum of supports. */
    public Row average() {
        long support = rows.stream().mapToLong(Row::support).sum();
        return new Row(
                AVERAGE,
                ratio(weighted(Row::precision), support),
                ratio(weighted(Row::recall), support),
                ratio(weighted(Row::f1), support),
                support);
    }

    private double weighted(ToDoubleFunction<Row> value) {
        return rows.stream()
                .mapToDouble(row -> value.applyAsDouble(row) * row.support())
                .sum();
    }

    @Override
    public String toString() {
        int width = rows.stream().mapToInt(row -> row.name().length()).reduce(AVERAGE.length(), Math::max);
        StringBuilder out = new StringBuilder();
        out.append(String.format(
                Locale.ROOT, "%" + width + "s  %9s %9s %9s %9s%n%n", "", "precision", "recall", "f1-score", "support"));
        rows.forEach(row -> line(out, width, row));
        out.append(System.lineSeparator());
        line(out, width, average());
        return out.toString();
    }

    private static void line(StringBuilder out, int width, Row row) {
        out.append(String.format(
                Locale.ROOT,
                "%" + width + "s  %9.2f %9.2f %9.2f %9d%n",
                row.name(),
                row.precision(),
                row.recall(),
                row.f1(),
                row.support()));
    }
}
