package tenon.io.record;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/** Small record files of every kind, each with three samples. */
enum TestRecords {
    GREY_CLASSES(raw(1, LabelKind.CLASS, 0), RecordFormat.SEGMENT_BYTES, _ -> 6, Label::ofClass),
    COLOUR_WITHOUT_LABELS(raw(3, LabelKind.NONE, 0), RecordFormat.SEGMENT_BYTES, _ -> 18, _ -> Label.NONE),
    ALPHA_VECTORS(raw(4, LabelKind.VECTOR, 2), RecordFormat.SEGMENT_BYTES, _ -> 24, i -> Label.ofVector(i, -0.5f)),
    ENCODED_BOXES(encoded(LabelKind.BOXES), RecordFormat.SEGMENT_BYTES, i -> 10 + i, TestRecords::boxes),
    /** The third sample would cross byte 8192 and begins there. */
    SEGMENTED_CLASSES(encoded(LabelKind.CLASS), 4096, _ -> 1500, Label::ofClass);

    static final List<String> CLASSES = List.of("cats", "dogs", "panda");

    private final RecordSchema schema;
    private final long segmentBytes;
    final List<Sample> samples;

    TestRecords(RecordSchema schema, long segmentBytes, IntFunction<Integer> imageBytes, IntFunction<Label> label) {
        this.schema = schema;
        this.segmentBytes = segmentBytes;
        List<Sample> all = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            byte[] image = new byte[imageBytes.apply(i)];
            for (int at = 0; at < image.length; at++) {
                image[at] = (byte) (31 * i + 7 * at + 1);
            }
            if (schema.encoding() == ImageEncoding.ENCODED) {
                System.arraycopy(new byte[] {(byte) 0xFF, (byte) 0xD8, (byte) 0xFF}, 0, image, 0, 3);
            }
            all.add(new Sample(image, label.apply(i), "k" + i, i == 1 ? "" : "folder/ü" + i + ".png"));
        }
        samples = List.copyOf(all);
    }

    private static RecordSchema raw(int channels, LabelKind label, int labelSize) {
        return RecordSchema.rawClasses("train", 2, 3, channels, List.of("cats", "dogs", "panda"))
                .withLabel(label, labelSize)
                .withBuild(Map.of("seed", "42"));
    }

    private static RecordSchema encoded(LabelKind label) {
        return RecordSchema.encodedClasses("val", List.of("cats", "dogs", "panda"))
                .withLabel(label, 0);
    }

    /** None for sample 0, one for sample 1, two for sample 2. */
    private static Label boxes(int sample) {
        List<Label.Box> boxes = new ArrayList<>();
        for (int i = 0; i < sample; i++) {
            boxes.add(new Label.Box(i, i, 0.5f, i + 2, 3, i == 0 ? 0 : Label.Box.TRUNCATED | Label.Box.OCCLUDED));
        }
        return Label.ofBoxes(boxes);
    }

    RecordSchema schema() {
        return schema;
    }

    void write(Path file) {
        write(file, RecordFile::open);
    }

    void write(Path file, RecordFile.Opener opener) {
        try (RecordWriter writer = RecordWriter.create(file, schema, opener, segmentBytes)) {
            samples.forEach(sample -> writer.add(sample.image(), sample.label(), sample.key(), sample.source()));
            writer.commit();
        }
    }

    byte[] bytes(Path folder) throws IOException {
        Path file = folder.resolve("whole.trec");
        write(file);
        byte[] bytes = Files.readAllBytes(file);
        Files.delete(file);
        return bytes;
    }

    /** Whether {@code read} is sample {@code i}, in every field. */
    boolean isSample(int i, Sample read) {
        Sample wanted = samples.get(i);
        boolean sameLabel = wanted.label() instanceof Label.OfVector(float[] values)
                ? read.label() instanceof Label.OfVector(float[] others) && Arrays.equals(values, others)
                : wanted.label().equals(read.label());
        return sameLabel
                && Arrays.equals(wanted.image(), read.image())
                && wanted.key().equals(read.key())
                && wanted.source().equals(read.source());
    }
}
