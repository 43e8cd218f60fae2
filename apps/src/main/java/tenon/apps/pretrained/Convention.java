package tenon.apps.pretrained;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** How a framework calls the tensors of a layer and orders their elements. */
enum Convention {
    /** Filters [K, R, S, C / groups], dense [out, in], images flattened as row, column, channel. */
    TENON(Map.of(
            Role.FILTERS, ".weight",
            Role.ROWS, ".weight",
            Role.BIAS, ".bias",
            Role.GAMMA, ".gamma",
            Role.BETA, ".beta",
            Role.MEAN, ".runningMean",
            Role.VARIANCE, ".runningVariance",
            Role.SLOPE, ".slope")),
    /** Filters [K, C / groups, R, S], dense [out, in], images flattened as channel, row, column. */
    TORCH(Map.of(
            Role.FILTERS, ".weight",
            Role.ROWS, ".weight",
            Role.BIAS, ".bias",
            Role.GAMMA, ".weight",
            Role.BETA, ".bias",
            Role.MEAN, ".running_mean",
            Role.VARIANCE, ".running_var",
            Role.SLOPE, ".weight")),
    /** As PyTorch's. */
    MXNET(Map.of(
            Role.FILTERS, "_weight",
            Role.ROWS, "_weight",
            Role.BIAS, "_bias",
            Role.GAMMA, "_gamma",
            Role.BETA, "_beta",
            Role.MEAN, "_moving_mean",
            Role.VARIANCE, "_moving_var",
            Role.SLOPE, "_gamma")),
    /** Filters [R, S, C / groups, K], one filter per channel [R, S, C, multiplier], dense [in, out], images flattened as row, column, channel. */
    KERAS(Map.of(
            Role.FILTERS, "/kernel",
            Role.ROWS, "/kernel",
            Role.BIAS, "/bias",
            Role.GAMMA, "/gamma",
            Role.BETA, "/beta",
            Role.MEAN, "/moving_mean",
            Role.VARIANCE, "/moving_variance",
            Role.SLOPE, "/alpha"));

    private static final String DEPTHWISE = "/depthwise_kernel";

    private final Map<Role, String> suffixes;

    Convention(Map<Role, String> suffixes) {
        this.suffixes = suffixes;
    }

    /** What may stand behind the layer's name; the first is the usual. Keras 3 calls depthwise filters as it calls others. */
    List<String> suffixes(Slot slot) {
        String suffix = suffixes.get(slot.role());
        return this == KERAS && slot.depthwise() && slot.role() == Role.FILTERS
                ? List.of(DEPTHWISE, suffix)
                : List.of(suffix);
    }

    String suffix(Slot slot) {
        return suffixes(slot).getFirst();
    }

    String suffix(Role role) {
        return suffixes.get(role);
    }

    /** All that there are. */
    Set<String> suffixes() {
        Set<String> all = new HashSet<>(suffixes.values());
        if (this == KERAS) {
            all.add(DEPTHWISE);
        }
        return all;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
