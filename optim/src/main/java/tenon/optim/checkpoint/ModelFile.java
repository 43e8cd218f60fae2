package tenon.optim.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import tenon.engine.Tensor;
import tenon.layers.Module;

/** A network's parameters and buffers as safetensors, by their dotted names. */
public final class ModelFile {
    /** What the metadata of every file says about its layouts. */
    static final Map<String, String> LAYOUTS = Map.of(
            "producer", "tenon",
            "layout.activations", "NHWC",
            "layout.convolution", "KRSC (out, height, width, in / groups)",
            "layout.dense", "OI (out, in)");

    private static final String WEIGHTS = "model.safetensors";
    private static final String AVERAGE = "average.safetensors";

    private ModelFile() {}

    /**
     * Writes a new file, which takes its place when it is whole.
     *
     * @param notes further metadata, e.g. class names
     */
    public static void save(Module model, Path file, Map<String, String> notes) {
        try {
            FileTrees.replace(
                    FileOps.SYSTEM, file, temporary -> write(FileOps.SYSTEM, temporary, model.state(), notes));
        } catch (IOException e) {
            throw new CheckpointException("model: could not write '" + file + "': " + e + " (is the disk full?)", e);
        }
    }

    /** The file to use a trained network from: in a checkpoint's folder the average of its weights, if there is one, or else the weights. */
    public static Path of(Path fileOrCheckpoint) {
        if (!Files.isDirectory(fileOrCheckpoint)) {
            return fileOrCheckpoint;
        }
        Path average = fileOrCheckpoint.resolve(AVERAGE);
        return Files.exists(average) ? average : fileOrCheckpoint.resolve(WEIGHTS);
    }

    /** Overwrites all parameters and buffers from a file, or from a checkpoint's folder; names and shapes must be the model's. */
    public static void load(Path fileOrCheckpoint, Module model) {
        try (SafetensorsFile saved = SafetensorsFile.open(of(fileOrCheckpoint))) {
            saved.readAll(model.state());
        }
    }

    public static FileDigest write(FileOps files, Path file, Map<String, Tensor> tensors, Map<String, String> notes)
            throws IOException {
        Map<String, String> metadata = new LinkedHashMap<>(LAYOUTS);
        metadata.putAll(notes);
        return SafetensorsWriter.write(files, file, tensors, metadata);
    }
}
