package tenon.apps.pretrained;

import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import tenon.io.weights.ElementType;
import tenon.io.weights.WeightsArray;
import tenon.io.weights.WeightsException;
import tenon.io.weights.WeightsFile;
import tenon.optim.checkpoint.SafetensorsEntry;
import tenon.optim.checkpoint.SafetensorsFile;

/** A safetensors file of any origin as arrays. */
final class SafetensorsWeights implements WeightsFile {
    private final Path path;
    private final SafetensorsFile file;
    private final Map<String, WeightsArray> arrays = new LinkedHashMap<>();

    /** @throws tenon.optim.checkpoint.CheckpointException when the file cannot be read or is not well-formed */
    static SafetensorsWeights open(Path path) {
        SafetensorsFile file = SafetensorsFile.open(path);
        try {
            return new SafetensorsWeights(path, file);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private SafetensorsWeights(Path path, SafetensorsFile file) {
        this.path = path;
        this.file = file;
        for (SafetensorsEntry entry : file.entries().values()) {
            arrays.put(entry.name(), new WeightsArray(entry.name(), entry.shape(), type(entry)));
        }
    }

    private ElementType type(SafetensorsEntry entry) {
        return Arrays.stream(ElementType.values())
                .filter(type -> type.name().equals(entry.dtype()))
                .findFirst()
                .orElseThrow(() -> new WeightsException(where() + ": tensor '" + entry.name()
                        + "' is of a type that weights cannot have here: dtype=" + entry.dtype()
                        + " (save the model in float32)"));
    }

    @Override
    public String where() {
        return "safetensors '" + path + "'";
    }

    @Override
    public Map<String, WeightsArray> arrays() {
        return Collections.unmodifiableMap(arrays);
    }

    @Override
    public float[] read(String name) {
        WeightsArray array = arrays.get(name);
        if (array == null) {
            throw new WeightsException(where() + ": there is no array '" + name + "'");
        }
        return array.type().toFloats(file.bytes(name), ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() {
        file.close();
    }
}
