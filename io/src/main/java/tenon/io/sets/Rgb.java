package tenon.io.sets;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tenon.io.build.BuildException;

/** A number for each colour, on the scale 0…255. As a file: a JSON object with the keys R, G and B. */
public record Rgb(double red, double green, double blue) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long LARGEST_FILE = 1 << 16;

    /** In the order of an image's channels. */
    public List<Double> values() {
        return List.of(red, green, blue);
    }

    /** The file appears whole or not at all. */
    public void write(Path file) {
        Map<String, Double> values = new LinkedHashMap<>();
        values.put("R", red);
        values.put("G", green);
        values.put("B", blue);
        try {
            WholeFile.write(file, JSON.writeValueAsString(values) + "\n");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a map of numbers is always written", e);
        }
    }

    /**
     * Reads what {@link #write} wrote.
     *
     * @throws BuildException when the file is not there or holds something else
     */
    public static Rgb read(Path file) {
        try {
            if (Files.size(file) > LARGEST_FILE) {
                throw damaged(file, "the file is too long: " + Files.size(file) + " bytes");
            }
            JsonNode json = JSON.readTree(Files.readString(file));
            if (json == null || !json.isObject() || json.size() != 3) {
                throw damaged(file, "found=" + json);
            }
            return new Rgb(number(json, "R", file), number(json, "G", file), number(json, "B", file));
        } catch (NoSuchFileException e) {
            throw new BuildException("channel means " + file + ": there is no such file", e);
        } catch (JsonProcessingException e) {
            throw damaged(file, e.getOriginalMessage());
        } catch (IOException e) {
            throw new BuildException("channel means " + file + ": cannot be read: " + e, e);
        }
    }

    private static double number(JsonNode json, String key, Path file) {
        JsonNode value = json.get(key);
        if (value == null || !value.isNumber() || !(value.asDouble() >= 0 && value.asDouble() <= 255)) {
            throw damaged(file, key + "=" + value);
        }
        return value.asDouble();
    }

    private static BuildException damaged(Path file, String problem) {
        return new BuildException(
                "channel means " + file + ": must be a JSON object of R, G and B from 0 to 255: " + problem);
    }
}
