package tenon.apps.pictures;

import de.erichseifert.vectorgraphics2d.Document;
import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.svg.SVGProcessor;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Consumer;

/** Whatever is painted, as a PNG or SVG file. */
public final class Drawing {
    private Drawing() {}

    /** Whether {@link #write} knows the format of a file of that name. */
    public static boolean canWrite(Path file) {
        return file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(".png") || isSvg(file);
    }

    private static boolean isSvg(Path file) {
        return file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(".svg");
    }

    /**
     * Makes missing parent folders and replaces an existing file.
     *
     * @param file {@code .svg}; anything else becomes a PNG file
     * @param width in pixels, height likewise
     */
    public static void write(Path file, int width, int height, Consumer<Graphics2D> painter) throws IOException {
        if (isSvg(file)) {
            VectorGraphics2D graphics = new VectorGraphics2D();
            painter.accept(graphics);
            Document document =
                    new SVGProcessor().getDocument(graphics.getCommands(), new PageSize(0, 0, width, height));
            PngFile.replace(file, partial -> {
                try (OutputStream out = Files.newOutputStream(partial)) {
                    document.writeTo(out);
                }
            });
            return;
        }
        BufferedImage picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = picture.createGraphics();
        painter.accept(graphics);
        graphics.dispose();
        PngFile.write(file, picture);
    }
}
