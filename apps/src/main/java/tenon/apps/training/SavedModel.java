package tenon.apps.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tenon.engine.TenonException;
import tenon.io.data.Normalization;
import tenon.layers.Module;
import tenon.optim.checkpoint.CheckpointException;
import tenon.optim.checkpoint.ModelFile;
import tenon.optim.checkpoint.SafetensorsFile;

/**
 * Trained networks on disk: in one file (safetensors whose notes hold architecture, normalization, preset and class names, so that predicting needs
 * nothing else), or in the folder of a run.
 */
public final class SavedModel {
    private static final String NETWORK = "tenon.network";
    private static final String NORMALIZATION = "tenon.normalization";
    private static final String AUGMENTATION = "tenon.augmentation";
    private static final String CLASSES = "tenon.classes";
    private static final ObjectMapper JSON = new ObjectMapper();

    private SavedModel() {}

    /** Writes one file, replacing an existing one only when the new one is complete. */
    public static void write(Path file, Classifier classifier) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        ModelFile.save(
                classifier.network(),
                file.toAbsolutePath(),
                Map.of(
                        NETWORK,
                        JSON.writeValueAsString(classifier.spec()),
                        NORMALIZATION,
                        JSON.writeValueAsString(classifier.normalization()),
                        AUGMENTATION,
                        JSON.writeValueAsString(classifier.augmentation()),
                        CLASSES,
                        JSON.writeValueAsString(classifier.classNames())));
    }

    /**
     * Builds the network in the current scope and fills it.
     *
     * @param saved a file of {@link #write}, the folder of a run (its best checkpoint is taken, or else the newest), or one checkpoint's folder
     * @throws TenonException when it is none of these, or damaged
     */
    public static Classifier read(Path saved) throws IOException {
        if (!Files.isDirectory(saved)) {
            return readFile(saved);
        }
        RunFolder run = RunFolder.around(saved);
        RunConfig config = run.readConfig();
        Module network = config.network().build();
        ModelFile.load(run.checkpoint(saved), network);
        return new Classifier(
                config.network(),
                network,
                config.data().normalization(),
                config.augmentation(),
                config.data().classNames());
    }

    /** What {@link #read} takes of a run's folder, as long as the run does not go on; itself for a checkpoint or a file. */
    static Path checkpoint(Path saved) {
        return Files.isDirectory(saved) ? RunFolder.around(saved).checkpoint(saved) : saved;
    }

    /** The file of weights of what {@link #read} reads, or the file itself. */
    public static Path weights(Path saved) throws IOException {
        return Files.isDirectory(saved) ? ModelFile.of(RunFolder.around(saved).checkpoint(saved)) : saved;
    }

    /** What a network was built from; empty for files that do not say it. */
    public static Optional<NetworkSpec> spec(Path saved) throws IOException {
        if (Files.isDirectory(saved)) {
            return Optional.of(RunFolder.around(saved).readConfig().network());
        }
        return note(saved, NETWORK, new TypeReference<>() {});
    }

    /** The classes of what {@link #read} reads; empty for files that do not name them. */
    static List<String> classNames(Path saved) throws IOException {
        if (Files.isDirectory(saved)) {
            return RunFolder.around(saved).readConfig().data().classNames();
        }
        return note(saved, CLASSES, new TypeReference<List<String>>() {}).orElse(List.of());
    }

    /** One of a file's notes; empty where it has none, as other programs' files do. */
    private static <T> Optional<T> note(Path file, String key, TypeReference<T> type) throws IOException {
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            String text = tensors.metadata().get(key);
            return text == null ? Optional.empty() : Optional.of(JSON.readValue(text, type));
        } catch (CheckpointException _) {
            return Optional.empty();
        } catch (JsonProcessingException e) {
            throw damagedNotes(file, e);
        }
    }

    /** How a saved network sees pictures; empty for files that do not say it. */
    static Optional<Trained> trained(Path saved) throws IOException {
        if (Files.isDirectory(saved)) {
            RunConfig config = RunFolder.around(saved).readConfig();
            DataSpec data = config.data();
            return Optional.of(
                    new Trained(config.network(), data.normalization(), config.augmentation(), data.stored()));
        }
        Optional<NetworkSpec> spec = spec(saved);
        Optional<Normalization> normalization = note(saved, NORMALIZATION, new TypeReference<>() {});
        Optional<Augmentation> augmentation = note(saved, AUGMENTATION, new TypeReference<>() {});
        return spec.isEmpty() || normalization.isEmpty() || augmentation.isEmpty()
                ? Optional.empty()
                : Optional.of(new Trained(spec.get(), normalization.get(), augmentation.get(), null));
    }

    /** Size of the pictures that a run was trained on, as they are stored; null for files, which do not say it. */
    static StoredSize trainedOn(Path saved) throws IOException {
        return Files.isDirectory(saved)
                ? RunFolder.around(saved).readConfig().data().stored()
                : null;
    }

    private static TenonException damagedNotes(Path file, JsonProcessingException e) {
        return new TenonException(
                "model file " + file + ": the notes on its network are damaged: " + e.getOriginalMessage(), e);
    }

    private static Classifier readFile(Path file) {
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            Map<String, String> notes = tensors.metadata();
            if (!notes.keySet().containsAll(List.of(NETWORK, NORMALIZATION, AUGMENTATION, CLASSES))) {
                throw new TenonException("model file " + file
                        + ": holds weights but not the network they belong to: notes=" + notes.keySet()
                        + " (name the folder of a training run, or a model file that Tenon wrote; ./tenon import makes"
                        + " one of other programs' weights)");
            }
            NetworkSpec spec = JSON.readValue(notes.get(NETWORK), NetworkSpec.class);
            Module network = spec.build();
            tensors.readAll(network.state());
            return new Classifier(
                    spec,
                    network,
                    JSON.readValue(notes.get(NORMALIZATION), Normalization.class),
                    JSON.readValue(notes.get(AUGMENTATION), Augmentation.class),
                    JSON.readValue(notes.get(CLASSES), new TypeReference<List<String>>() {}));
        } catch (JsonProcessingException e) {
            throw damagedNotes(file, e);
        }
    }
}
