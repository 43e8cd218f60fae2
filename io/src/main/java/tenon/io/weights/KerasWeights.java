package tenon.io.weights;

import io.jhdf.HdfFile;
import io.jhdf.api.Attribute;
import io.jhdf.api.Dataset;
import io.jhdf.api.Group;
import io.jhdf.api.Node;
import io.jhdf.api.dataset.ChunkedDataset;
import io.jhdf.object.datatype.DataType;
import io.jhdf.object.datatype.FixedPoint;
import io.jhdf.object.datatype.FloatingPoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import tenon.io.build.BuildException;
import tenon.io.sets.Hdf5Superblock;

/**
 * Weights that Keras 2 saved as HDF5 ({@code save_weights("x.h5")}, or the group {@code model_weights} of {@code save("x.h5")}): a group per layer, named in the
 * attribute {@code layer_names}, whose attribute {@code weight_names} names its data sets. An array is called {@code LAYER/ROLE}, e.g. {@code
 * conv1/kernel}, whatever Keras put around it: {@code conv1/conv1/kernel:0}, or {@code conv1/conv1_W_1:0} in files of Keras 1.
 *
 * <p>Links are not followed, external ones least of all.
 */
public final class KerasWeights implements WeightsFile {
    private static final long LARGEST_CHUNK = 1L << 28;
    /** Deflate expands at most 1032 times. */
    private static final long MOST_EXPANSION = 1032;

    private static final int MOST_ARRAYS = 100_000;
    private static final Pattern COUNTER = Pattern.compile("(:\\d+)?$");
    /** Endings of names in files of Keras 1, and what Keras 2 calls the same. */
    private static final Map<String, String> OLD_ROLES = Map.of(
            "_W", "kernel",
            "_W_1", "kernel",
            "_b", "bias",
            "_b_1", "bias",
            "_gamma", "gamma",
            "_beta", "beta",
            "_running_mean", "moving_mean",
            "_running_std", "moving_variance");

    private final Path path;
    private final long fileBytes;
    private final HdfFile file;
    private final Map<String, WeightsArray> arrays = new LinkedHashMap<>();
    private final Map<String, Dataset> contents = new HashMap<>();

    private KerasWeights(Path path) {
        this.path = path;
        if (!Files.isRegularFile(path)) {
            throw error("there is no such file");
        }
        try {
            Hdf5Superblock.checkLength(path);
        } catch (BuildException e) {
            throw new WeightsException(e.getMessage(), e);
        }
        fileBytes = path.toFile().length();
        file = reading("the file", () -> new HdfFile(path));
    }

    /** @throws WeightsException when the file cannot be read, is not well-formed or has another layout */
    public static KerasWeights open(Path path) {
        KerasWeights weights = new KerasWeights(path);
        try {
            weights.reading("the list of layers", () -> {
                weights.list();
                return null;
            });
            return weights;
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    private void list() {
        Group root = file;
        if (names(root, "layer_names") == null && root.getChildren().get("model_weights") instanceof Group model) {
            root = model;
        }
        List<String> layers = names(root, "layer_names");
        if (layers == null) {
            boolean keras3 = file.getChildren().containsKey("layers")
                    || file.getChildren().containsKey("_layer_checkpoint_dependencies");
            throw error("has no attribute 'layer_names': "
                    + (keras3
                            ? "this is Keras 3's layout (save the model as Keras 2 did: model.save('x.h5'))"
                            : "Keras 2 did not write it: found=" + children(file)));
        }
        for (String layer : layers) {
            if (!(child(root, layer) instanceof Group group)) {
                throw error("layer '" + layer + "' is listed and not there: found=" + children(root));
            }
            layer(layer, group);
        }
    }

    private void layer(String layer, Group group) {
        List<String> names = names(group, "weight_names");
        if (names == null) {
            throw error("layer '" + layer + "' has no attribute 'weight_names'");
        }
        Map<String, Integer> uses = new HashMap<>();
        names.forEach(name -> uses.merge(role(name), 1, Integer::sum));
        for (String name : names) {
            // A model inside a model has the weights of all its layers in one group.
            String owner = uses.get(role(name)) == 1 ? layer : owner(layer, name);
            add(owner + "/" + role(name), group, name);
        }
    }

    private static String role(String name) {
        String last = COUNTER.matcher(name.substring(name.lastIndexOf('/') + 1)).replaceFirst("");
        for (Map.Entry<String, String> old : OLD_ROLES.entrySet()) {
            if (last.endsWith(old.getKey())) {
                return old.getValue();
            }
        }
        return last;
    }

    private static String owner(String layer, String name) {
        int end = name.lastIndexOf('/');
        return end < 0 ? layer : name.substring(name.lastIndexOf('/', end - 1) + 1, end);
    }

    private void add(String name, Group group, String inGroup) {
        if (!(child(group, inGroup) instanceof Dataset data)) {
            throw error("'" + inGroup + "' is listed in layer '" + group.getName() + "' and not there");
        }
        if (arrays.size() == MOST_ARRAYS) {
            throw error("must have at most " + MOST_ARRAYS + " arrays");
        }
        long[] dims = data.getDimensionsAsLong();
        String problem = ArrayShapes.problem(dims);
        if (problem != null) {
            throw error("'" + name + "' " + problem);
        }
        checkStorage(name, data, dims);
        if (arrays.put(name, new WeightsArray(name, ArrayShapes.list(dims), type(name, data.getDataType()))) != null) {
            throw error("two arrays have the same name: name=" + name);
        }
        contents.put(name, data);
    }

    private ElementType type(String name, DataType type) {
        ElementType found = null;
        if (type instanceof FloatingPoint) {
            found = switch (type.getSize()) {
                case 2 -> ElementType.F16;
                case 4 -> ElementType.F32;
                case 8 -> ElementType.F64;
                default -> null;
            };
        } else if (type instanceof FixedPoint) {
            found = switch (type.getSize()) {
                case 4 -> ElementType.I32;
                case 8 -> ElementType.I64;
                default -> null;
            };
        }
        if (found == null) {
            throw error("'" + name + "' must hold numbers: type="
                    + type.getClass().getSimpleName() + " of " + type.getSize() + " bytes");
        }
        return found;
    }

    /** A header may claim any size; what is read must be bounded by what is there. */
    private void checkStorage(String name, Dataset data, long[] dims) {
        long stored = data.getStorageInBytes();
        long claimed =
                ArrayShapes.elements(dims) * Math.max(1, data.getDataType().getSize());
        if (claimed > 0 && (stored <= 0 || stored > fileBytes || claimed / MOST_EXPANSION > stored)) {
            throw error("'" + name + "' claims more data than the file holds: claimed=" + claimed + " bytes, stored="
                    + stored);
        }
        if (data instanceof ChunkedDataset chunked) {
            long bytes = Math.max(1, data.getDataType().getSize());
            for (int side : chunked.getChunkDimensions()) {
                bytes = side > 0 && bytes <= LARGEST_CHUNK ? bytes * side : Long.MAX_VALUE;
            }
            if (bytes > LARGEST_CHUNK) {
                throw error("'" + name + "' must have chunks of at most " + LARGEST_CHUNK + " bytes: chunk="
                        + Arrays.toString(chunked.getChunkDimensions()));
            }
        }
    }

    /** What the path leads to without following a link, or null. */
    private static Node child(Group group, String names) {
        Node node = group;
        for (String name : names.split("/")) {
            node = node instanceof Group inner ? inner.getChildren().get(name) : null;
            if (node == null || node.isLink()) {
                return null;
            }
        }
        return node;
    }

    private static List<String> children(Group group) {
        return group.getChildren().keySet().stream().limit(20).toList();
    }

    /** An attribute of strings, which Keras cuts into several with a number behind the name where it is long; null where there is none. */
    private List<String> names(Group group, String attribute) {
        List<String> names = strings(group, attribute);
        if (names != null) {
            return names;
        }
        List<String> all = new ArrayList<>();
        List<String> part = strings(group, attribute + 0);
        if (part == null) {
            return null;
        }
        for (int i = 1; part != null; i++) {
            all.addAll(part);
            part = strings(group, attribute + i);
        }
        return all;
    }

    private List<String> strings(Group group, String name) {
        Attribute attribute = group.getAttributes().get(name);
        if (attribute == null) {
            return null;
        }
        if (attribute.getSize() > MOST_ARRAYS) {
            throw error("attribute '" + name + "' must have at most " + MOST_ARRAYS + " names: given="
                    + attribute.getSize());
        }
        if (attribute.getSizeInBytes() > fileBytes) {
            throw error("attribute '" + name + "' claims more data than the file holds: claimed="
                    + attribute.getSizeInBytes() + " bytes");
        }
        Object value = attribute.isEmpty() ? new String[0] : attribute.getData();
        return switch (value) {
            case String[] names -> List.of(names);
            case String one -> List.of(one);
            // A layer without weights has an empty list of numbers.
            case double[] none when none.length == 0 -> List.of();
            case float[] none when none.length == 0 -> List.of();
            case null, default ->
                throw error("attribute '" + name + "' of '" + group.getName() + "' must hold strings");
        };
    }

    /** Damaged files make the reader throw all kinds of exceptions, and run in circles until the stack or the memory ends. */
    private <T> T reading(String what, Supplier<T> work) {
        try {
            return work.get();
        } catch (WeightsException e) {
            throw e;
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
            throw new WeightsException(
                    where() + ": " + what + " cannot be read, it is damaged or of an unsupported kind: " + e, e);
        }
    }

    private WeightsException error(String problem) {
        return new WeightsException(where() + ": " + problem);
    }

    @Override
    public String where() {
        return "keras weights " + path;
    }

    @Override
    public Map<String, WeightsArray> arrays() {
        return Collections.unmodifiableMap(arrays);
    }

    @Override
    public float[] read(String name) {
        WeightsArray array = arrays.get(name);
        if (array == null) {
            throw error("there is no array '" + name + "': it holds " + arrays.keySet());
        }
        float[] values = array.elementCount() == 0
                ? new float[0]
                : reading("'" + name + "'", () -> floats(contents.get(name).getDataFlat()));
        if (values.length != array.elementCount()) {
            throw error("'" + name + "' must have as many elements as its shape asks for: shape=" + array.shape()
                    + ", given=" + values.length);
        }
        return values;
    }

    private float[] floats(Object data) {
        return switch (data) {
            case float[] values -> values;
            case double[] values -> {
                float[] floats = new float[values.length];
                for (int i = 0; i < floats.length; i++) {
                    floats[i] = (float) values[i];
                }
                yield floats;
            }
            case int[] values -> {
                float[] floats = new float[values.length];
                for (int i = 0; i < floats.length; i++) {
                    floats[i] = values[i];
                }
                yield floats;
            }
            case long[] values -> {
                float[] floats = new float[values.length];
                for (int i = 0; i < floats.length; i++) {
                    floats[i] = values[i];
                }
                yield floats;
            }
            case Number single -> new float[] {single.floatValue()};
            case null, default -> throw error("must hold numbers");
        };
    }

    @Override
    public void close() {
        file.close();
    }
}
