package tenon.apps.quickstart;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tenon.apps.pictures.ContactSheet;
import tenon.apps.pictures.PngFile;
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
        List<ContactSheet.Cell> cells = new ArrayList<>();
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
                String said = classifier.guess(image, 1).getFirst().name();
                String truth = schema.classNames().get(reader.classIndex(sample));
                cells.add(ContactSheet.Cell.judged(ImageCodec.toBufferedImage(image), said, truth, said.equals(truth)));
            }
        }
        PngFile.write(picture, ContactSheet.draw(cells, COLUMNS, ContactSheet.Scale.EACH));
    }
}
