package tenon.benchmarks.compare;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Repeated measurements of one thing.
 *
 * @param lowerIsBetter times rather than rates
 */
record Series(double[] values, boolean lowerIsBetter) {
    private static final List<String> IDENTITY =
            List.of("net", "kernel", "shape", "batch", "precision", "mode", "threads");
    private static final String SUFFIX = "_rounds";

    /**
     * All series of a benchmark's result, by a name that two runs share. A row's identity is its {@code net}, {@code batch} and so on; each of its arrays
     * {@code …_rounds} is a series, of times if it is named {@code …_us_rounds}.
     *
     * @param result the object that {@code --json} prints: one row, or a list under {@code rows}
     */
    static Map<String, Series> of(JsonNode result) {
        Map<String, Series> all = new LinkedHashMap<>();
        for (JsonNode row : result.has("rows") ? result.get("rows") : List.of(result)) {
            String identity = identity(row);
            row.properties().forEach(field -> {
                if (field.getKey().endsWith(SUFFIX) && field.getValue().size() > 0) {
                    String metric = field.getKey().substring(0, field.getKey().length() - SUFFIX.length());
                    all.put(identity + ": " + metric, new Series(values(field.getValue()), metric.endsWith("_us")));
                }
            });
        }
        return all;
    }

    private static String identity(JsonNode row) {
        List<String> parts = new ArrayList<>();
        for (String key : IDENTITY) {
            if (row.hasNonNull(key)) {
                String value = row.get(key).asText();
                parts.add(row.get(key).isNumber() ? key + " " + value : value);
            }
        }
        return String.join(", ", parts);
    }

    private static double[] values(JsonNode array) {
        double[] values = new double[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).asDouble();
        }
        return values;
    }

    /** Logarithms are taken of them. */
    boolean isPositive() {
        for (double value : values) {
            if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
                return false;
            }
        }
        return true;
    }
}
