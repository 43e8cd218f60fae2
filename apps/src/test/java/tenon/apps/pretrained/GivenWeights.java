package tenon.apps.pretrained;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tenon.engine.Tensor;
import tenon.io.weights.ElementType;
import tenon.io.weights.WeightsArray;
import tenon.io.weights.WeightsFile;

/** Arrays in memory instead of a file. */
final class GivenWeights implements WeightsFile {
    private final Map<String, WeightsArray> arrays = new LinkedHashMap<>();
    private final Map<String, float[]> values = new LinkedHashMap<>();

    GivenWeights put(String name, List<Integer> shape, float... contents) {
        return put(name, ElementType.F32, shape, contents);
    }

    GivenWeights put(String name, ElementType type, List<Integer> shape, float... contents) {
        arrays.put(name, new WeightsArray(name, shape, type));
        values.put(name, contents);
        return this;
    }

    GivenWeights putAll(Map<String, Tensor> tensors) {
        tensors.forEach((name, tensor) ->
                put(name, Arrays.stream(tensor.shape().toArray()).boxed().toList(), tensor.toFloatArray()));
        return this;
    }

    GivenWeights without(String name) {
        arrays.remove(name);
        return this;
    }

    @Override
    public String where() {
        return "given";
    }

    @Override
    public Map<String, WeightsArray> arrays() {
        return arrays;
    }

    @Override
    public float[] read(String name) {
        return values.get(name).clone();
    }

    @Override
    public void close() {}
}
