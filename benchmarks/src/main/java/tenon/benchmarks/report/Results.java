package tenon.benchmarks.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tenon.engine.TenonException;

/** The rows measured so far, in a JSON file that is replaced as a whole after each one. {@code bench compare} reads it. */
final class Results {
    private static final List<String> IDENTITY = List.of("net", "batch", "precision", "mode", "threads");
    private static final ObjectMapper MAPPER = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private final Path file;
    private final Map<String, String> machine;
    private final Map<String, JsonNode> rows = new LinkedHashMap<>();
    private JsonNode kernels;

    private Results(Path file, Map<String, String> machine) {
        this.file = file;
        this.machine = machine;
    }

    /**
     * Goes on with what the file holds, if it is there.
     *
     * @param machine as {@link tenon.benchmarks.Machine} describes it
     * @throws TenonException when the file was measured on another processor
     */
    static Results open(Path file, Map<String, String> machine) throws IOException {
        Results results = new Results(file, machine);
        if (Files.exists(file)) {
            results.read();
        }
        return results;
    }

    private void read() throws IOException {
        JsonNode known;
        try {
            known = MAPPER.readTree(Files.readString(file));
        } catch (JsonProcessingException e) {
            throw new TenonException(
                    "bench all: the results of an earlier run must be JSON: " + file + " (--again measures anew)", e);
        }
        for (String fact : List.of("cpu", "cores")) {
            String there = known.path("machine").path(fact).asText();
            if (!there.equals(machine.get(fact))) {
                throw new TenonException("bench all: results of two machines do not mix: " + file + " has " + fact + "="
                        + there + ", this is " + machine.get(fact) + " (use another --report, or --again)");
            }
        }
        known.path("rows").forEach(row -> rows.put(key(row), row));
        kernels = known.hasNonNull("kernels") ? known.get("kernels") : null;
    }

    private static String key(JsonNode row) {
        List<String> parts = new ArrayList<>();
        IDENTITY.forEach(name -> parts.add(row.path(name).asText()));
        return String.join(" ", parts);
    }

    boolean has(Map<String, ?> identity) {
        return rows.containsKey(key(MAPPER.valueToTree(identity)));
    }

    /** Adds or replaces a row and writes the file. */
    void add(Map<String, ?> row) throws IOException {
        JsonNode node = MAPPER.valueToTree(row);
        rows.put(key(node), node);
        write();
    }

    /** What {@code bench kernels --json} printed. */
    void setKernels(String line) throws IOException {
        kernels = MAPPER.readTree(line);
        write();
    }

    JsonNode kernels() {
        return kernels;
    }

    List<JsonNode> rows() {
        return List.copyOf(rows.values());
    }

    Map<String, String> machine() {
        return machine;
    }

    private void write() throws IOException {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("machine", machine);
        all.put("rows", rows.values());
        all.put("kernels", kernels);
        Path partial = file.resolveSibling(file.getFileName() + ".partial");
        Files.writeString(partial, MAPPER.writeValueAsString(all) + "\n");
        Files.move(partial, file, StandardCopyOption.REPLACE_EXISTING);
    }
}
