package tenon.apps.data;

import java.awt.image.BufferedImage;
import java.util.Arrays;
import tenon.apps.pictures.BoxDrawing;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.record.ImageEncoding;
import tenon.io.record.Label;
import tenon.io.record.RecordSchema;
import tenon.io.record.Records;
import tenon.io.record.Sample;

/** A sample as a picture, with its boxes drawn on it, and its label in words. */
public final class RecordPicture {
    private RecordPicture() {}

    public static BufferedImage of(Records records, int number, Sample sample) {
        RecordSchema schema = records.schema();
        Image image = schema.encoding() == ImageEncoding.RAW_U8
                ? new Image(schema.width(), schema.height(), schema.channels(), sample.image())
                : ImageCodec.decode(sample.image(), records.describe(number));
        BufferedImage picture = ImageCodec.toBufferedImage(image);
        return sample.label() instanceof Label.OfBoxes of
                ? BoxDrawing.draw(picture, of.boxes(), schema.classNames())
                : picture;
    }

    static String caption(Label label, RecordSchema schema) {
        return switch (label) {
            case Label.None _ -> "no label";
            case Label.OfClass of -> schema.classNames().get(of.index());
            case Label.OfVector of -> Arrays.toString(of.values());
            case Label.OfBoxes of -> of.boxes().size() + " boxes";
        };
    }

    static String text(Label label, RecordSchema schema) {
        return switch (label) {
            case Label.None _ -> "no label";
            case Label.OfClass of ->
                "class " + of.index() + " (" + schema.classNames().get(of.index()) + ")";
            case Label.OfVector of -> "vector " + Arrays.toString(of.values());
            case Label.OfBoxes of -> of.boxes().size() + " boxes " + of.boxes();
        };
    }
}
