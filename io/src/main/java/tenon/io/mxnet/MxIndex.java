package tenon.io.mxnet;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import tenon.io.build.BuildException;
import tenon.io.build.TextLines;

/** An index file of MXNet: a line {@code key<TAB>offset} for every record. */
final class MxIndex {
    private static final int LONGEST_LINE = 64;

    private MxIndex() {}

    /**
     * Reads an index that belongs to a record file.
     *
     * @return the number of the record of every key, in the order of the lines
     * @throws BuildException naming file and line when a line is none, a key occurs twice, or no record begins at an offset
     */
    static Map<Long, Integer> read(Path file, RecordIoReader records) {
        Map<Long, Integer> keys = new LinkedHashMap<>();
        try (TextLines lines = new TextLines(file, "mxnet index file", LONGEST_LINE)) {
            for (String line = lines.next(); line != null; line = lines.next()) {
                int tab = line.indexOf('\t');
                if (tab < 0) {
                    throw lines.error("a line must be key<TAB>offset");
                }
                long key = number(line.substring(0, tab), "key", lines);
                long offset = number(line.substring(tab + 1), "offset", lines);
                int record = records.recordAt(offset);
                if (record < 0) {
                    throw lines.error("no record of " + records.path() + " begins at offset " + offset
                            + " (does the index belong to another file?)");
                }
                if (keys.put(key, record) != null) {
                    throw lines.error("the key must be unique: " + key + " occurs twice");
                }
            }
        }
        if (keys.isEmpty()) {
            throw new BuildException("mxnet index file " + file + ": there are no lines in it");
        }
        return keys;
    }

    private static long number(String text, String what, TextLines lines) {
        try {
            long number = Long.parseLong(text.trim());
            if (number >= 0) {
                return number;
            }
        } catch (NumberFormatException _) {
            // The error below says it.
        }
        throw lines.error("the " + what + " must be a whole number of at least 0: '" + text + "'");
    }
}
