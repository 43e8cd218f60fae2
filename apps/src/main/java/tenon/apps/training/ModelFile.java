package tenon.apps.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import tenon.engine.TenonException;
import tenon.io.data.Normalization;
import tenon.layers.Module;
import tenon.optim.checkpoint.FileOps;
import tenon.optim.checkpoint.SafetensorsFile;
import tenon.optim.checkpoint.SafetensorsWriter;

/**
 * A network in one file: weights as safetensors, and in its notes the architecture, normalization and class names, so that predicting needs
 * nothing else.
 */
public final class ModelFile {
    private static final String NETWORK = "tenon.network";
    private static final String NORMALIZATION = "tenon.normalization";
    private static final String CLASSES = "tenon.classes";
    private static final ObjectMapper JSON = new ObjectMapper();

    private ModelFile() {}

    /** Writes the file, replacing an existing one only when the new one is complete. */
    public static void write(Path file, Classifier classifier) throws IOException {
        Path target = file.toAbsolutePath();
        Files.createDirectories(target.getParent());
        Path partial = target.resolveSibling(target.getFileName() + ".partial");
        Files.deleteIfExists(partial);
        SafetensorsWriter.write(
                FileOps.SYSTEM,
                partial,
                classifier.network().state(),
                Map.of(
                        NETWORK,
                        JSON.writeValueAsString(classifier.spec()),
                        NORMALIZATION,
                        JSON.writeValueAsString(classifier.normalization()),
                        CLASSES,
                        JSON.writeValueAsString(classifier.classNames())));
        FileOps.SYSTEM.rename(partial, target);
    }

    /**
     * Builds the network in the current scope and fills it from the file.
     *
     * @throws TenonException when the file is damaged, or no file of {@link #write}
     */
    public static Classifier read(Path file) {
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            Map<String, String> notes = tensors.metadata();
            if (!notes.keySet().containsAll(List.of(NETWORK, NORMALIZATION, CLASSES))) {
                throw new TenonException("model file " + file
                        + ": holds weights but not the network they belong to: notes=" + notes.keySet()
                        + " (name the folder of a training run, or a model file that Tenon wrote)");
            }
            NetworkSpec spec = JSON.readValue(notes.get(NETWORK), NetworkSpec.class);
            Module network = spec.build();
            tensors.readAll(network.state());
            return new Classifier(
                    spec,
                    network,
                    JSON.readValue(notes.get(NORMALIZATION), Normalization.class),
                    JSON.readValue(notes.get(CLASSES), new TypeReference<List<String>>() {}));
        } catch (JsonProcessingException e) {
            throw new TenonException(
                    "model file " + file + ": the notes on its network are damaged: " + e.getOriginalMessage(), e);
        }
    }
}
