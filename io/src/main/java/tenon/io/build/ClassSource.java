package tenon.io.build;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** What says the class of a picture in a folder. */
public enum ClassSource {
    /** The folder that it lies in. */
    FOLDER,
    /** Its name up to the first dot, in whatever folder it lies: {@code cat.0.jpg} is a cat. */
    FILE_NAME;

    private static final String NO_FOLDER = "lies in no class folder";
    private static final String NO_NAME = "has no class in its name, up to a first dot, as cat.0.jpg has";

    /** @param root of the whole set; empty where the file has no class */
    Optional<String> of(Path file, Path root) {
        if (this == FOLDER) {
            return file.getParent().equals(root)
                    ? Optional.empty()
                    : Optional.of(file.getParent().getFileName().toString());
        }
        String name = file.getFileName().toString();
        int dot = name.indexOf('.');
        return dot == name.lastIndexOf('.') ? Optional.empty() : Optional.of(name.substring(0, dot));
    }

    /** As typed on a command line: {@code file-name}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Why a file has no class. */
    String reason() {
        return this == FOLDER ? NO_FOLDER : NO_NAME;
    }
}
