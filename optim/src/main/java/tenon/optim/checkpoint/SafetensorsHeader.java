package tenon.optim.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The JSON header of a safetensors file, believed in nothing: names once, element types known, sizes equal to shape times element, ranges inside the
 * data section, without holes or overlaps.
 *
 * @param metadata the {@code __metadata__} strings
 * @param entries by name, in the file's order of names
 */
record SafetensorsHeader(Map<String, String> metadata, Map<String, SafetensorsEntry> entries) {
    /** As in the reference implementation: a longer header is an attack, not a model. */
    static final int MAX_HEADER_BYTES = 100_000_000;

    private static final Map<String, Integer> ELEMENT_BYTES = Map.ofEntries(
            Map.entry("BOOL", 1),
            Map.entry("U8", 1),
            Map.entry("I8", 1),
            Map.entry("F8_E4M3", 1),
            Map.entry("F8_E5M2", 1),
            Map.entry("I16", 2),
            Map.entry("U16", 2),
            Map.entry("F16", 2),
            Map.entry("BF16", 2),
            Map.entry("I32", 4),
            Map.entry("U32", 4),
            Map.entry("F32", 4),
            Map.entry("I64", 8),
            Map.entry("U64", 8),
            Map.entry("F64", 8));

    private static final JsonMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(4)
                            .maxStringLength(1 << 20)
                            .maxNumberLength(20)
                            .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /** Bytes of one element, or 0 for an unknown type. */
    static int elementBytes(String dtype) {
        return ELEMENT_BYTES.getOrDefault(dtype, 0);
    }

    /**
     * @param where the file, for messages
     * @param dataBytes size of the data section
     */
    static SafetensorsHeader parse(String where, byte[] json, long dataBytes) {
        JsonNode root;
        try {
            root = JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw bad(where, "the header must be JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw bad(where, "the header must be UTF-8: " + e.getMessage(), e);
        }
        if (!(root instanceof ObjectNode object)) {
            throw bad(where, "the header must be a JSON object", null);
        }
        Map<String, String> metadata = new LinkedHashMap<>();
        Map<String, SafetensorsEntry> entries = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> property : object.properties()) {
            if (property.getKey().equals("__metadata__")) {
                for (Map.Entry<String, JsonNode> note : property.getValue().properties()) {
                    if (!note.getValue().isTextual()) {
                        throw bad(where, "__metadata__ must hold strings: key=" + note.getKey(), null);
                    }
                    metadata.put(note.getKey(), note.getValue().textValue());
                }
            } else {
                entries.put(property.getKey(), entry(where, property.getKey(), property.getValue(), dataBytes));
            }
        }
        checkRanges(where, entries, dataBytes);
        return new SafetensorsHeader(Collections.unmodifiableMap(metadata), Collections.unmodifiableMap(entries));
    }

    private static SafetensorsEntry entry(String where, String name, JsonNode node, long dataBytes) {
        String dtype = node.path("dtype").asText("");
        int elementBytes = elementBytes(dtype);
        if (elementBytes == 0) {
            throw bad(where, "tensor '" + name + "' must have a known dtype: dtype=" + dtype, null);
        }
        if (!(node.path("shape") instanceof ArrayNode dims) || dims.size() > 16) {
            throw bad(where, "tensor '" + name + "' must have a shape of at most 16 dimensions", null);
        }
        List<Integer> shape = new ArrayList<>();
        long byteSize = elementBytes;
        try {
            for (JsonNode dim : dims) {
                if (!dim.isIntegralNumber() || !dim.canConvertToInt() || dim.intValue() < 0) {
                    throw bad(
                            where,
                            "tensor '" + name + "' must have dimensions from 0 to 2^31 − 1: shape=" + dims,
                            null);
                }
                shape.add(dim.intValue());
                byteSize = Math.multiplyExact(byteSize, dim.longValue());
            }
        } catch (ArithmeticException e) {
            throw bad(where, "tensor '" + name + "' is larger than any file: shape=" + dims, e);
        }
        JsonNode offsets = node.path("data_offsets");
        if (!offsets.isArray() || offsets.size() != 2 || !isOffset(offsets.get(0)) || !isOffset(offsets.get(1))) {
            throw bad(
                    where, "tensor '" + name + "' must have data_offsets [begin, end]: data_offsets=" + offsets, null);
        }
        long begin = offsets.get(0).longValue();
        long end = offsets.get(1).longValue();
        if (begin < 0 || end < begin || end > dataBytes) {
            throw bad(
                    where,
                    "tensor '" + name + "' must lie inside the data section of " + dataBytes + " bytes: data_offsets="
                            + offsets + " (is the file cut short?)",
                    null);
        }
        if (end - begin != byteSize) {
            throw bad(
                    where,
                    "tensor '" + name + "' must have as many bytes as its shape asks for: shape=" + shape + ", dtype="
                            + dtype + ", wanted=" + byteSize + ", data_offsets=" + offsets,
                    null);
        }
        return new SafetensorsEntry(name, dtype, List.copyOf(shape), begin, end);
    }

    private static boolean isOffset(JsonNode node) {
        return node.isIntegralNumber() && node.canConvertToLong();
    }

    private static void checkRanges(String where, Map<String, SafetensorsEntry> entries, long dataBytes) {
        List<SafetensorsEntry> byOffset = new ArrayList<>(entries.values());
        byOffset.sort(Comparator.comparingLong(SafetensorsEntry::begin).thenComparingLong(SafetensorsEntry::end));
        long position = 0;
        for (SafetensorsEntry entry : byOffset) {
            if (entry.begin() != position) {
                throw bad(
                        where,
                        "tensors must follow each other without holes or overlaps: '" + entry.name() + "' begins at "
                                + entry.begin() + ", expected " + position,
                        null);
            }
            position = entry.end();
        }
        if (position != dataBytes) {
            throw bad(
                    where,
                    "the data section must end with the last tensor: end=" + position + ", data section=" + dataBytes,
                    null);
        }
    }

    /** Length word and header, padded with spaces so that the data section begins at a multiple of 64 bytes. */
    byte[] toBytes() {
        ObjectNode root = JSON.createObjectNode();
        if (!metadata.isEmpty()) {
            ObjectNode notes = root.putObject("__metadata__");
            new TreeMap<>(metadata).forEach(notes::put);
        }
        for (SafetensorsEntry entry : entries.values()) {
            ObjectNode node = root.putObject(entry.name());
            node.put("dtype", entry.dtype());
            ArrayNode shape = node.putArray("shape");
            entry.shape().forEach(shape::add);
            node.putArray("data_offsets").add(entry.begin()).add(entry.end());
        }
        byte[] json = root.toString().getBytes(StandardCharsets.UTF_8);
        int padded = (8 + json.length + 63) / 64 * 64;
        byte[] bytes = new byte[padded];
        Arrays.fill(bytes, (byte) ' ');
        for (int i = 0; i < 8; i++) {
            bytes[i] = (byte) ((padded - 8L) >>> (8 * i));
        }
        System.arraycopy(json, 0, bytes, 8, json.length);
        return bytes;
    }

    static CheckpointException bad(String where, String what, Throwable cause) {
        return new CheckpointException("safetensors '" + where + "': " + what, cause);
    }
}
