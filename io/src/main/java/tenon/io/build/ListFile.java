package tenon.io.build;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A list file of MXNet's im2rec: a line {@code index<TAB>label…<TAB>path} for every image, with one label or several. Empty lines are passed over.
 *
 * @param entries in the order of the lines
 */
public record ListFile(Path file, List<Entry> entries) {
    private static final int LONGEST_LINE = 1 << 20;

    /**
     * A line.
     *
     * @param index at least 0, unique in the file
     * @param labels finite, at least one
     */
    public record Entry(long index, float[] labels, String path) {
        /** The line, without its end. Whole numbers are written without a fraction. */
        public String line() {
            StringBuilder line = new StringBuilder().append(index);
            for (float label : labels) {
                line.append('\t');
                if (label == (long) label) {
                    line.append((long) label);
                } else {
                    line.append(label);
                }
            }
            return line.append('\t').append(path).toString();
        }
    }

    /**
     * Reads a list.
     *
     * @throws BuildException naming file and line when a line is none of the above, or there is none
     */
    public static ListFile read(Path file) {
        List<Entry> entries = new ArrayList<>();
        Set<Long> indices = new HashSet<>();
        try (TextLines lines = new TextLines(file, "list file", LONGEST_LINE)) {
            for (String line = lines.next(); line != null; line = lines.next()) {
                if (!line.isBlank()) {
                    Entry entry = parse(line, lines);
                    if (!indices.add(entry.index())) {
                        throw lines.error("the index must be unique: " + entry.index() + " occurs twice");
                    }
                    entries.add(entry);
                }
            }
        }
        if (entries.isEmpty()) {
            throw new BuildException("list file " + file + ": there are no lines in it");
        }
        return new ListFile(file, List.copyOf(entries));
    }

    private static Entry parse(String line, TextLines lines) {
        String[] fields = line.split("\t", -1);
        if (fields.length < 3) {
            throw lines.error("a line must be index<TAB>label…<TAB>path: found " + fields.length + " field"
                    + (fields.length == 1 ? "" : "s") + " (are they separated by tabs?)");
        }
        String path = fields[fields.length - 1];
        if (path.isBlank() || path.indexOf('\0') >= 0) {
            throw lines.error("the last field must be a path: '" + path + "'");
        }
        float[] labels = new float[fields.length - 2];
        for (int i = 0; i < labels.length; i++) {
            labels[i] = label(fields[i + 1], lines);
        }
        return new Entry(index(fields[0], lines), labels, path);
    }

    private static long index(String field, TextLines lines) {
        try {
            long index = Long.parseLong(field.trim());
            if (index >= 0) {
                return index;
            }
        } catch (NumberFormatException _) {
            // The error below says it.
        }
        throw lines.error("the index must be a whole number of at least 0: '" + shortened(field) + "'");
    }

    private static float label(String field, TextLines lines) {
        try {
            float label = Float.parseFloat(field.trim());
            if (Float.isFinite(label)) {
                return label;
            }
        } catch (NumberFormatException _) {
            // The error below says it.
        }
        throw lines.error("a label must be a finite number: '" + shortened(field) + "'");
    }

    private static String shortened(String text) {
        return text.length() <= 40 ? text : text.substring(0, 40) + "…";
    }
}
