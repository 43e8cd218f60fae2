package tenon.apps.features;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import tenon.engine.Scope;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.optim.checkpoint.AtomicFiles;
import tenon.optim.checkpoint.FileOps;
import tenon.optim.checkpoint.ModelFile;
import tenon.optim.checkpoint.SafetensorsFile;
import tenon.optim.logistic.LogisticModel;

/**
 * A fitted classifier on disk: safetensors {@code weight} [rows, D] and {@code bias} [rows], and the class names in the notes.
 *
 * @param c inverse strength of the penalty that it was fitted with
 */
record LogisticFile(LogisticModel model, double c, List<String> classNames) {
    private static final String CLASSES = "tenon.classes";
    private static final String C = "tenon.logreg.c";
    private static final ObjectMapper JSON = new ObjectMapper();

    void write(Path file, Backend backend) throws IOException {
        Path target = file.toAbsolutePath();
        Files.createDirectories(target.getParent());
        int rows = model.weights().length;
        float[] flat = new float[rows * model.features()];
        for (int row = 0; row < rows; row++) {
            System.arraycopy(model.weights()[row], 0, flat, row * model.features(), model.features());
        }
        try (Scope _ = Scope.open("model file", backend)) {
            Map<String, Tensor> tensors = Map.of(
                    "weight", Tensor.of(flat, rows, model.features()), "bias", Tensor.of(model.intercepts(), rows));
            Map<String, String> notes = Map.of(CLASSES, JSON.writeValueAsString(classNames), C, Double.toString(c));
            AtomicFiles.replace(target, temporary -> ModelFile.write(FileOps.SYSTEM, temporary, tensors, notes));
        }
    }

    static LogisticFile read(Path file, Backend backend) {
        try (SafetensorsFile saved = SafetensorsFile.open(file);
                Scope _ = Scope.open("model file", backend)) {
            var weight = saved.entries().get("weight");
            var bias = saved.entries().get("bias");
            String classes = saved.metadata().get(CLASSES);
            String c = saved.metadata().get(C);
            if (weight == null
                    || bias == null
                    || classes == null
                    || c == null
                    || weight.shape().size() != 2) {
                throw new TenonException("logistic regression: " + file
                        + " holds none: it must have weight [rows, features], bias and notes (./tenon logreg writes"
                        + " such files)");
            }
            int rows = weight.shape().get(0);
            int width = weight.shape().get(1);
            Tensor weights = Tensor.of(new float[rows * width], rows, width);
            Tensor intercepts = Tensor.of(new float[rows], rows);
            saved.read("weight", weights);
            saved.read("bias", intercepts);
            float[] flat = weights.toFloatArray();
            float[][] table = new float[rows][width];
            for (int row = 0; row < rows; row++) {
                System.arraycopy(flat, row * width, table[row], 0, width);
            }
            List<String> names = JSON.readValue(classes, new TypeReference<>() {});
            return new LogisticFile(
                    new LogisticModel(table, intercepts.toFloatArray(), names.size()), Double.parseDouble(c), names);
        } catch (JsonProcessingException | NumberFormatException e) {
            throw new TenonException(
                    "logistic regression: the notes of " + file + " are damaged: " + e.getMessage(), e);
        }
    }
}
