package tenon.optim.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The last file of a checkpoint: what the others must look like.
 *
 * @param files by name
 */
record Completion(Map<String, FileDigest> files) {
    static final String FILE = "COMPLETE";

    private static final JsonMapper JSON = new JsonMapper();

    byte[] toBytes() {
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("strings and numbers can be written", e);
        }
    }

    static Optional<String> problem(Path checkpoint) {
        if (!Files.isDirectory(checkpoint)) {
            return Optional.of("there is no such folder");
        }
        if (!Files.isRegularFile(checkpoint.resolve(FILE))) {
            return Optional.of("the file " + FILE + " is missing, so writing was interrupted");
        }
        Completion wanted;
        try {
            wanted = JSON.readValue(checkpoint.resolve(FILE).toFile(), Completion.class);
        } catch (IOException e) {
            return Optional.of("the file " + FILE + " is damaged: "
                    + e.getMessage().lines().findFirst().orElse(""));
        }
        if (wanted.files == null) {
            return Optional.of("the file " + FILE + " is damaged: it lists no files");
        }
        try {
            Set<String> present;
            try (Stream<Path> entries = Files.list(checkpoint)) {
                present = entries.map(path -> path.getFileName().toString())
                        .filter(name -> !name.equals(FILE))
                        .collect(Collectors.toCollection(TreeSet::new));
            }
            if (!present.equals(wanted.files.keySet())) {
                return Optional.of(
                        "files are missing or added: present=" + present + ", wanted=" + wanted.files.keySet());
            }
            for (Map.Entry<String, FileDigest> file : wanted.files.entrySet()) {
                Path path = checkpoint.resolve(file.getKey());
                if (file.getValue() == null
                        || Files.size(path) != file.getValue().byteSize()) {
                    return Optional.of(file.getKey() + " has another size: bytes=" + Files.size(path) + ", wanted="
                            + (file.getValue() == null
                                    ? "unknown"
                                    : file.getValue().byteSize()));
                }
                if (!FileDigest.of(path).equals(file.getValue())) {
                    return Optional.of(file.getKey() + " is damaged: its SHA-256 differs");
                }
            }
        } catch (IOException e) {
            return Optional.of("it could not be read: " + e);
        }
        return Optional.empty();
    }
}
