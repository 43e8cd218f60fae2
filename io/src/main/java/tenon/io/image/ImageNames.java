package tenon.io.image;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;

/** Which files of a folder are taken for pictures, by their names. */
public final class ImageNames {
    /** Endings, in lower case. */
    public static final Set<String> EXTENSIONS = Set.of("jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp");

    private ImageNames() {}

    public static boolean isImage(Path file) {
        String name = file.getFileName().toString();
        return EXTENSIONS.contains(name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT));
    }

    /** Files and folders whose names begin with a dot are passed over. */
    public static boolean isHidden(Path path) {
        return path.getFileName().toString().startsWith(".");
    }
}
