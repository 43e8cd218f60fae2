package tenon.apps.pretrained;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import tenon.apps.networks.Nonlinearity;
import tenon.apps.networks.NormPosition;
import tenon.apps.networks.ResNet;
import tenon.apps.training.Augmentation;
import tenon.apps.training.NetworkVariant;
import tenon.apps.training.Scaling;
import tenon.io.data.Normalization;

/**
 * What a name map says besides names: the variant of the network that its weights are for, and how pictures are prepared for it.
 *
 * <pre>
 * residuals, activation, batch-norm, norm-epsilon, global-average, symmetric-padding, small-stem, learned-gamma     as the options of the same name
 * preset         the preset of augmentation
 * normalize      the scaling, where it is not the preset's; none leaves pixels 0 to 255
 * channels: bgr  the weights are for pictures whose blue comes first
 * </pre>
 */
record MapSettings(NetworkVariant variant, Augmentation preset, Scaling scaling, Normalization normalization) {
    private static final Set<String> KEYS = Set.of(
            "residuals",
            "activation",
            "batch-norm",
            "norm-epsilon",
            "global-average",
            "symmetric-padding",
            "small-stem",
            "learned-gamma",
            "preset",
            "normalize",
            "channels");

    static MapSettings of(NameMap map) {
        Map<String, String> settings = map.settings();
        Set<String> unknown = new TreeSet<>(settings.keySet());
        unknown.removeAll(KEYS);
        if (!unknown.isEmpty() || !List.of("rgb", "bgr").contains(settings.getOrDefault("channels", "rgb"))) {
            throw new IllegalStateException(
                    "name map " + map + ": settings must be among " + KEYS + ": unknown=" + unknown);
        }
        NetworkVariant variant = new NetworkVariant(
                get(settings, "activation", Nonlinearity::parse),
                get(settings, "batch-norm", text -> constant(NormPosition.class, text)),
                get(settings, "norm-epsilon", Double::valueOf),
                get(settings, "residuals", text -> constant(ResNet.Design.class, text)),
                get(settings, "global-average", Boolean::valueOf),
                get(settings, "symmetric-padding", Boolean::valueOf),
                get(settings, "small-stem", Boolean::valueOf),
                get(settings, "learned-gamma", Boolean::valueOf));
        Augmentation preset = get(settings, "preset", text -> constant(Augmentation.class, text));
        String scaling = settings.get("normalize");
        if ("none".equals(scaling)) {
            return new MapSettings(variant, preset, null, Normalization.NONE);
        }
        return new MapSettings(
                variant,
                preset,
                scaling == null ? preset == null ? null : preset.scaling() : constant(Scaling.class, scaling),
                null);
    }

    private static <T> T get(Map<String, String> settings, String key, Function<String, T> parse) {
        String text = settings.get(key);
        return text == null ? null : parse.apply(text);
    }

    private static <E extends Enum<E>> E constant(Class<E> type, String text) {
        return Arrays.stream(type.getEnumConstants())
                .filter(value -> value.toString().equals(text))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(
                        "'" + text + "' is none of " + Arrays.toString(type.getEnumConstants())));
    }
}
