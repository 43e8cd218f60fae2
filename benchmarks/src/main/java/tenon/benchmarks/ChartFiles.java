package tenon.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.internal.chartpart.Chart;
import tenon.apps.pictures.PngFile;

/** Charts on disk, for pages and for zooming in. */
public final class ChartFiles {
    private ChartFiles() {}

    /** Writes {@code name.png} and {@code name.svg}. */
    public static void write(Chart<?, ?> chart, Path folder, String name) throws IOException {
        Files.createDirectories(folder);
        PngFile.write(folder.resolve(name + ".png"), BitmapEncoder.getBufferedImage(chart));
        VectorGraphicsEncoder.saveVectorGraphic(
                chart, folder.resolve(name + ".svg").toString(), VectorGraphicsFormat.SVG);
    }
}
