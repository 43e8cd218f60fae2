package tenon.apps.firstnetwork;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tenon.engine.TenonException;

/** The class names in the order of the network's outputs, as a JSON list. */
final class LabelFile {
    private static final ObjectMapper JSON = new ObjectMapper();

    private LabelFile() {}

    static void write(Path file, LabelBinarizer binarizer) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        Files.writeString(file, JSON.writeValueAsString(binarizer.classes()) + "\n");
    }

    static LabelBinarizer read(Path file) throws IOException {
        try {
            return new LabelBinarizer(JSON.readValue(Files.readAllBytes(file), new TypeReference<List<String>>() {}));
        } catch (JsonProcessingException e) {
            throw new TenonException(
                    "label file " + file + ": must be a JSON list of class names: " + e.getOriginalMessage(), e);
        }
    }
}
