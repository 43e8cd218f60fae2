package tenon.apps.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.Map;

/** The machine-readable last line of a command: one JSON object whose first key is {@code command}. */
final class JsonLine {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private JsonLine() {}

    /**
     * @param command the command as typed after {@code tenon}
     * @param values further keys in their order; values are strings, numbers, booleans, null, or lists and maps of these
     */
    static String of(String command, Map<String, ?> values) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("command", command);
        line.putAll(values);
        try {
            return MAPPER.writeValueAsString(line);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("a result of " + command + " has no JSON form: " + values, e);
        }
    }
}
