package tenon.io.record;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;

/**
 * All rows of record files of features, in memory.
 *
 * @param values rows one after the other
 * @param labels class of each row
 * @param width features per row
 */
public record FeatureTable(float[] values, int[] labels, int width, List<String> classNames) {
    /** @throws RecordException when the files hold anything but features with class labels, or more than an array can take */
    public static FeatureTable read(List<Path> files) {
        try (Records records = Records.open(files)) {
            RecordSchema schema = records.schema();
            if (schema.encoding() != ImageEncoding.RAW_F32 || schema.label() != LabelKind.CLASS) {
                throw new RecordException("features: " + records.files().getFirst()
                        + " must hold raw-f32 rows with class labels: encoding=" + schema.encoding() + ", label="
                        + schema.label() + " (./tenon features makes such a file)");
            }
            int width = schema.height() * schema.width() * schema.channels();
            int rows = records.sampleCount();
            if ((long) rows * width > Integer.MAX_VALUE - 8) {
                throw new RecordException("features: " + records.files().getFirst() + " holds too many to be in memory"
                        + " at once: rows=" + rows + ", features=" + width);
            }
            float[] values = new float[rows * width];
            int[] labels = new int[rows];
            SampleBuffer buffer = new SampleBuffer();
            for (int i = 0; i < rows; i++) {
                records.read(i, buffer);
                ByteBuffer.wrap(buffer.bytes(), 0, buffer.imageBytes())
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .asFloatBuffer()
                        .get(values, i * width, width);
                labels[i] = records.classIndex(i);
            }
            return new FeatureTable(values, labels, width, schema.classNames());
        }
    }

    public int rows() {
        return labels.length;
    }

    /** The given rows, in this order. */
    public FeatureTable select(int[] rows) {
        float[] chosen = new float[rows.length * width];
        int[] chosenLabels = new int[rows.length];
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(values, rows[i] * width, chosen, i * width, width);
            chosenLabels[i] = labels[rows[i]];
        }
        return new FeatureTable(chosen, chosenLabels, width, classNames);
    }
}
