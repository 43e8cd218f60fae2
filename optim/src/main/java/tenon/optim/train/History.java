package tenon.optim.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import tenon.optim.checkpoint.CheckpointException;

/**
 * What was measured, epoch by epoch. As JSON it is one list per metric, all of equal length; metrics that were never measured are left out, single
 * missing values are null. As CSV it is one line per epoch under a line of names; missing values are empty.
 */
public final class History {
    private static final JsonMapper JSON = new JsonMapper();

    private final List<EpochRecord> epochs = new ArrayList<>();

    public List<EpochRecord> epochs() {
        return Collections.unmodifiableList(epochs);
    }

    public void add(EpochRecord epoch) {
        epochs.add(epoch);
    }

    /** Forgets all epochs after the first {@code count}: for a restart from an earlier checkpoint. */
    public void truncate(int count) {
        if (count < epochs.size()) {
            epochs.subList(count, epochs.size()).clear();
        }
    }

    /** One value per epoch; NaN where it was not measured. */
    public double[] values(Metric metric) {
        return epochs.stream().mapToDouble(metric::of).toArray();
    }

    /** True when some epoch has a value. */
    public boolean has(Metric metric) {
        return epochs.stream().anyMatch(epoch -> !Double.isNaN(metric.of(epoch)));
    }

    public ObjectNode toJson() {
        ObjectNode root = JSON.createObjectNode();
        for (Metric metric : Metric.values()) {
            if (metric.isWhole() || has(metric)) {
                ArrayNode list = root.putArray(metric.key());
                for (EpochRecord epoch : epochs) {
                    double value = metric.of(epoch);
                    if (metric.isWhole()) {
                        list.add((long) value);
                    } else if (Double.isNaN(value)) {
                        list.addNull();
                    } else {
                        list.add(value);
                    }
                }
            }
        }
        return root;
    }

    /** @throws CheckpointException when the lists are not what {@link #toJson} writes */
    public static History fromJson(JsonNode root) {
        History history = new History();
        int count = root.path(Metric.EPOCH.key()).size();
        for (Metric metric : Metric.values()) {
            JsonNode list = root.path(metric.key());
            if (!list.isMissingNode() && list.size() != count) {
                throw new CheckpointException("history: all lists must be of equal length: " + Metric.EPOCH.key() + "="
                        + count + ", " + metric.key() + "=" + list.size());
            }
        }
        for (int i = 0; i < count; i++) {
            double[] values = new double[Metric.values().length];
            for (Metric metric : Metric.values()) {
                values[metric.ordinal()] = number(root.path(metric.key()).path(i));
            }
            history.add(new EpochRecord(
                    (int) values[0],
                    (long) values[1],
                    values[2],
                    values[3],
                    values[4],
                    values[5],
                    values[6],
                    values[7],
                    values[8],
                    values[9]));
        }
        return history;
    }

    /** Infinity is no JSON number: Jackson writes it as a string. */
    private static double number(JsonNode node) {
        if (node.isTextual()) {
            return Double.parseDouble(node.textValue());
        }
        return node.isNumber() ? node.doubleValue() : Double.NaN;
    }

    public String toCsv() {
        StringBuilder out = new StringBuilder();
        out.append(Arrays.stream(Metric.values()).map(Metric::key).collect(Collectors.joining(",")))
                .append('\n');
        for (EpochRecord epoch : epochs) {
            out.append(Arrays.stream(Metric.values())
                            .map(metric -> text(metric, metric.of(epoch)))
                            .collect(Collectors.joining(",")))
                    .append('\n');
        }
        return out.toString();
    }

    private static String text(Metric metric, double value) {
        if (metric.isWhole()) {
            return Long.toString((long) value);
        }
        return Double.isNaN(value) ? "" : Double.toString(value);
    }
}
