package tenon.io.sets;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import tenon.io.build.BuildException;

/** Text files that appear under their name only when they are complete, and keep their time of change when nothing changes. */
final class WholeFile {
    /** Writes the text. */
    interface Content {
        void write(BufferedWriter out) throws IOException;
    }

    private WholeFile() {}

    static void write(Path file, String text) {
        write(file, out -> out.write(text));
    }

    static void write(Path file, Content content) {
        // Another process may be writing the same file.
        Path temporary = file.resolveSibling("." + file.getFileName() + "."
                + ProcessHandle.current().pid() + "-" + Long.toHexString(System.nanoTime()) + ".tmp");
        try {
            Files.createDirectories(file.getParent());
            try {
                try (BufferedWriter out = Files.newBufferedWriter(temporary)) {
                    content.write(out);
                }
                if (!Files.exists(file) || Files.mismatch(temporary, file) >= 0) {
                    Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
                }
            } finally {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            throw new BuildException(file + ": cannot be written: " + e, e);
        }
    }
}
