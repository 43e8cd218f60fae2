package tenon.apps.training;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tenon.optim.checkpoint.AtomicFiles;

/**
 * A table of predictions as comma-separated values (RFC 4180, UTF-8): columns of the caller's, then {@code class-1}, {@code probability-1}, and so on, likeliest first. It is
 * held in memory until {@link #write}.
 */
public final class PredictionCsv {
    private final ByteArrayOutputStream rows = new ByteArrayOutputStream();

    /**
     * @param columns names of the caller's columns
     * @param top how many classes a row lists
     */
    public PredictionCsv(List<String> columns, int top) {
        List<String> header = new ArrayList<>(columns);
        for (int i = 1; i <= top; i++) {
            header.add("class-" + i);
            header.add("probability-" + i);
        }
        addRow(header);
    }

    /** @param values of the caller's columns */
    public void add(List<String> values, List<Prediction> predictions) {
        List<String> row = new ArrayList<>(values);
        for (Prediction prediction : predictions) {
            row.add(prediction.name());
            row.add(Float.toString((float) prediction.probability()));
        }
        addRow(row);
    }

    private void addRow(List<String> values) {
        String line =
                String.join(",", values.stream().map(PredictionCsv::quoted).toList()) + "\r\n";
        rows.writeBytes(line.getBytes(StandardCharsets.UTF_8));
    }

    private static String quoted(String value) {
        boolean plain = value.chars().noneMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r');
        return plain ? value : '"' + value.replace("\"", "\"\"") + '"';
    }

    /** Makes missing parent folders and replaces an existing file. */
    public void write(Path file) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        AtomicFiles.replace(file, rows.toByteArray());
    }
}
