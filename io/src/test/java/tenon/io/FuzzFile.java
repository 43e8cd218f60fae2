package tenon.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file for targets whose readers take no bytes; every input goes into the same one. */
public final class FuzzFile {
    private static final Path FILE = create();

    private FuzzFile() {}

    private static Path create() {
        try {
            Path file = Files.createTempFile("tenon-fuzz", ".bin");
            file.toFile().deleteOnExit();
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The file, with these contents now. */
    public static Path of(byte[] bytes) {
        try {
            return Files.write(FILE, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Fails unless the message begins so. */
    public static void checkMessage(RuntimeException e, String beginning) {
        if (!e.getMessage().startsWith(beginning)) {
            throw new AssertionError("the message must begin with '" + beginning + "': " + e.getMessage(), e);
        }
    }
}
