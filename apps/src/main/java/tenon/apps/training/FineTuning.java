package tenon.apps.training;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import tenon.apps.cli.UsageException;
import tenon.layers.BatchNorm;
import tenon.layers.Module;
import tenon.layers.Parameter;

/**
 * Where a run's weights come from and which of them move.
 *
 * @param weights model file, run or checkpoint to begin with; null: initial weights are drawn
 * @param frozen dotted names, or beginnings of them, of layers that stay as they are
 * @param rateScales factor of the learning rate by such a name; the longest that fits counts
 */
public record FineTuning(String weights, List<String> frozen, Map<String, Double> rateScales) {
    public static final FineTuning NONE = new FineTuning(null, List.of(), Map.of());

    public FineTuning {
        frozen = frozen == null ? List.of() : List.copyOf(frozen);
        rateScales = rateScales == null ? Map.of() : new TreeMap<>(rateScales);
        rateScales.forEach((name, scale) -> {
            if (!(scale >= 0 && scale < Double.POSITIVE_INFINITY)) {
                throw new UsageException("--lr-scale " + name + " must be at least 0: " + scale);
            }
        });
    }

    /** Freezes layers, with the running statistics of their batch norms; before the optimizer is made. */
    void freeze(Module network) {
        for (String prefix : frozen) {
            if (network.parameters().stream().noneMatch(parameter -> begins(parameter.name(), prefix))) {
                throw unknown("--freeze", prefix, network);
            }
            network.freeze(prefix);
            network.walk(module -> {
                if (module instanceof BatchNorm norm && begins(norm.path(), prefix)) {
                    norm.fixStatistics(true);
                }
            });
        }
    }

    ToDoubleFunction<Parameter> rateScale(Module network) {
        for (String prefix : rateScales.keySet()) {
            if (network.parameters().stream().noneMatch(parameter -> begins(parameter.name(), prefix))) {
                throw unknown("--lr-scale", prefix, network);
            }
        }
        return parameter -> {
            String longest = null;
            for (String prefix : rateScales.keySet()) {
                if (begins(parameter.name(), prefix) && (longest == null || prefix.length() > longest.length())) {
                    longest = prefix;
                }
            }
            return longest == null ? 1 : rateScales.get(longest);
        };
    }

    private static boolean begins(String name, String prefix) {
        return prefix.isEmpty() || name.equals(prefix) || name.startsWith(prefix + ".");
    }

    private static UsageException unknown(String option, String prefix, Module network) {
        return new UsageException(option + ": the network has no layer '" + prefix + "': its layers are "
                + String.join(", ", network.children().keySet()) + " (./tenon summary lists all)");
    }
}
