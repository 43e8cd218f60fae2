package tenon.apps.pretrained;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import tenon.apps.training.NetworkSpec;
import tenon.engine.Tensor;

/** NumPy's format by hand: a stored ZIP of headers and little-endian floats. */
public final class NpzArchive {
    private NpzArchive() {}

    public static void write(Path archive, Map<String, Tensor> tensors) throws IOException {
        try (OutputStream file = Files.newOutputStream(archive);
                ZipOutputStream zip = new ZipOutputStream(file)) {
            zip.setLevel(0);
            for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
                String dims = Arrays.toString(entry.getValue().shape().toArray())
                                .replace("[", "")
                                .replace("]", "") + ",";
                byte[] header = ("{'descr': '<f4', 'fortran_order': False, 'shape': (" + dims + "), }\n")
                        .getBytes(StandardCharsets.US_ASCII);
                float[] values = entry.getValue().toFloatArray();
                ByteBuffer bytes = ByteBuffer.allocate(10 + header.length + 4 * values.length)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0})
                        .putShort((short) header.length)
                        .put(header);
                bytes.asFloatBuffer().put(values);
                zip.putNextEntry(new ZipEntry(entry.getKey() + ".npy"));
                zip.write(bytes.array());
            }
        }
    }

    /**
     * Writes a network's tensors as another framework would; in the current scope.
     *
     * @param map file name of the name map
     */
    public static void write(Path archive, NetworkSpec spec, String map, Map<String, Tensor> state) throws IOException {
        NameMap names = NameMap.of(spec.kind().toString()).stream()
                .filter(candidate -> candidate.toString().equals(map))
                .findFirst()
                .orElseThrow();
        NetworkLayers layers = NetworkLayers.of(spec::build, spec.input(1));
        Map<String, Tensor> theirs = new LinkedHashMap<>(WeightExport.tensors(layers, names, state));
        if (names.settings().getOrDefault("channels", "rgb").equals("bgr")) {
            Slot first = layers.first().slots().getFirst();
            String name = names.layers(layers.layers(), theirs.keySet()).get(first.layer())
                    + names.convention().suffix(first);
            float[] own = state.get(first.name()).toFloatArray();
            int channels = first.shape().getLast();
            theirs.put(
                    name,
                    Tensor.of(
                            new ElementOrder(first, names.convention())
                                    .fromTenon(ElementOrder.reversedChannels(own, channels)),
                            theirs.get(name).shape().toArray()));
        }
        write(archive, theirs);
    }
}
