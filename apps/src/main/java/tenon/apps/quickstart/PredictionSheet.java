package tenon.apps.quickstart;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tenon.apps.pictures.PngFile;
import tenon.apps.pictures.PredictionGrid;
import tenon.apps.training.Classifier;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.record.RecordReader;
import tenon.io.record.RecordSchema;

/** A sheet of test pictures with what the network says. */
final class PredictionSheet {
    private static final int COLUMNS = 5;
    private static final int COUNT = 25;

    private PredictionSheet() {}

    /** Takes the pictures from evenly over the file: which ones does not depend on what the network says. */
    static void write(Path picture, Classifier classifier, Path test) throws IOException {
        List<PredictionGrid.Cell> cells = new ArrayList<>();
        try (RecordReader reader = RecordReader.open(test)) {
            RecordSchema schema = reader.schema();
            int count = Math.min(COUNT, reader.sampleCount());
            for (int i = 0; i < count; i++) {
                int sample = (int) ((long) i * reader.sampleCount() / count);
                Image image = new Image(
                        schema.width(),
                        schema.height(),
                        schema.channels(),
                        reader.read(sample).image());
                cells.add(new PredictionGrid.Cell(
                        ImageCodec.toBufferedImage(image),
                        classifier.guess(image, 1).getFirst().name(),
                        schema.classNames().get(reader.classIndex(sample))));
            }
        }
        PngFile.write(picture, PredictionGrid.draw(cells, COLUMNS));
    }
}
