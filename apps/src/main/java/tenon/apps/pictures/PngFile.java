package tenon.apps.pictures;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import javax.imageio.ImageIO;

/** Writes pictures: first to a neighbour of another name, so that a reader never sees half a file. */
public final class PngFile {
    private PngFile() {}

    /** Makes missing parent folders and replaces an existing file. */
    public static void write(Path file, BufferedImage picture) throws IOException {
        Path absolute = file.toAbsolutePath();
        Files.createDirectories(absolute.getParent());
        Path partial = absolute.resolveSibling(absolute.getFileName() + ".partial");
        if (!ImageIO.write(picture, "png", partial.toFile())) {
            throw new IOException("no PNG writer for a picture of type " + picture.getType() + ": " + file);
        }
        Files.move(partial, absolute, StandardCopyOption.REPLACE_EXISTING);
    }
}
