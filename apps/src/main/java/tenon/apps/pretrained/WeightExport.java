package tenon.apps.pretrained;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import tenon.apps.cli.UsageException;
import tenon.apps.onnx.NetworkGraph;
import tenon.apps.training.NetworkSpec;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;

/** A network's tensors under another framework's names and in its order of elements. */
final class WeightExport {
    private WeightExport() {}

    /** The map of that name, if the network computes what that framework's does. */
    static NameMap map(NetworkSpec spec, String names) {
        List<NameMap> safetensors = NameMap.of(spec.kind().toString()).stream()
                .filter(map -> map.convention() == Convention.TORCH || map.convention() == Convention.TENON)
                .toList();
        NameMap map = safetensors.stream()
                .filter(candidate -> candidate.names().contains(names))
                .findFirst()
                .orElseThrow(() -> new UsageException("--names must be one of " + PretrainedWeights.names(safetensors)
                        + " for " + spec.kind() + ": " + names));
        NetworkSpec theirs =
                PretrainedWeights.withVariant(spec, MapSettings.of(map).variant());
        if (!NetworkGraph.of(spec::build, spec.input(1)).equals(NetworkGraph.of(theirs::build, theirs.input(1)))) {
            throw new UsageException("--names " + names + ": the model is another variant of " + spec.kind() + " than "
                    + names + "'s, which is " + MapSettings.of(map).variant().options()
                    + " (--names tenon writes it as it is, --to onnx any variant)");
        }
        return map;
    }

    /**
     * Tensors in the current scope, by their names there. A norm whose gamma is frozen here gets ones.
     *
     * @param state of the network
     */
    static Map<String, Tensor> tensors(NetworkLayers layers, NameMap map, Map<String, Tensor> state) {
        Map<String, String> names = map.layers(layers.layers(), List.of());
        List<String> nameless = layers.layers().stream()
                .map(NetworkLayers.Layer::path)
                .filter(path -> !names.containsKey(path))
                .collect(Collectors.toList());
        if (!nameless.isEmpty()) {
            throw new UsageException(
                    "--names " + map.name() + ": knows no names for the layers " + ImportReport.shortened(nameless));
        }
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (NetworkLayers.Layer layer : layers.layers()) {
            String name = names.get(layer.path());
            for (Slot slot : layer.slots()) {
                tensors.put(
                        name + map.convention().suffix(slot), theirs(slot, map.convention(), state.get(slot.name())));
            }
            if (layer.frozenGamma() && map.convention() != Convention.TENON) {
                int channels = layer.slots().getFirst().elementCount();
                tensors.put(name + map.convention().suffix(Role.GAMMA), Tensor.full(Shape.of(channels), DType.F32, 1));
            }
        }
        return tensors;
    }

    private static Tensor theirs(Slot slot, Convention convention, Tensor own) {
        if (convention == Convention.TENON) {
            return own;
        }
        ElementOrder order = new ElementOrder(slot, convention);
        int[] dims = order.shape().stream().mapToInt(Integer::intValue).toArray();
        return Tensor.of(order.fromTenon(own.toFloatArray()), dims);
    }
}
