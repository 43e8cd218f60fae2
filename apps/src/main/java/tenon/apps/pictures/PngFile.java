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
        replace(file, partial -> {
            if (!ImageIO.write(picture, "png", partial.toFile())) {
                throw new IOException("no PNG writer for a picture of type " + picture.getType() + ": " + file);
            }
        });
    }

    /** Writes the contents of a file under the name that it is given. */
    interface Contents {
        void write(Path partial) throws IOException;
    }

    static void replace(Path file, Contents contents) throws IOException {
        Path absolute = file.toAbsolutePath();
        Files.createDirectories(absolute.getParent());
        Path partial = absolute.resolveSibling(absolute.getFileName() + ".partial");
        contents.write(partial);
        Files.move(partial, absolute, StandardCopyOption.REPLACE_EXISTING);
    }
}
