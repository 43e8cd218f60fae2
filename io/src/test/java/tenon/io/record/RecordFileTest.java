package tenon.io.record;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.io.image.Image;

class RecordFileTest {
    private static final List<String> CLASSES = List.of("cats", "dogs", "panda");

    @TempDir
    Path folder;

    private static byte[] pixels(int sample, int size) {
        byte[] pixels = new byte[size];
        for (int i = 0; i < size; i++) {
            pixels[i] = (byte) (sample * 31 + i * 7);
        }
        return pixels;
    }

    /** Three 2×3×1 images of classes 2, 1, 0. */
    private Path small() {
        Path file = folder.resolve("small.trec");
        try (RecordWriter writer = RecordWriter.create(file, RecordSchema.rawClasses("train", 2, 3, 1, CLASSES))) {
            for (int i = 0; i < 3; i++) {
                writer.add(pixels(i, 6), Label.ofClass(2 - i), "k" + i, "folder/ü" + i + ".png");
            }
            writer.commit();
        }
        return file;
    }

    @Test
    void samplesComeBackAsWritten() {
        RecordSchema schema = RecordSchema.rawClasses("train", 2, 3, 1, CLASSES).withBuild(Map.of("seed", "42"));
        Path file = folder.resolve("new/folder/a.trec");
        try (RecordWriter writer = RecordWriter.create(file, schema)) {
            for (int i = 0; i < 1000; i++) {
                writer.add(pixels(i, 6), Label.ofClass(i % 3), "key" + i, "");
            }
            writer.commit();
        }
        try (RecordReader reader = RecordReader.open(file)) {
            assertThat(reader.sampleCount()).isEqualTo(1000);
            assertThat(reader.schema().classNames()).isEqualTo(CLASSES);
            assertThat(reader.schema().build()).containsEntry("seed", "42");
            for (int i : new int[] {999, 0, 500}) {
                Sample sample = reader.read(i);
                assertThat(sample.image()).isEqualTo(pixels(i, 6));
                assertThat(sample.label()).isEqualTo(Label.ofClass(i % 3));
                assertThat(sample.key()).isEqualTo("key" + i);
                assertThat(reader.classIndex(i)).isEqualTo(i % 3);
            }
            reader.verify();
            assertThatThrownBy(() -> reader.read(1000)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void vectorsAndBoxesComeBackAsWritten() {
        RecordSchema base = RecordSchema.encodedClasses("train", CLASSES);
        byte[] jpeg = {(byte) 0xFF, (byte) 0xD8, (byte) 0xFF, 2, 3};
        Path vectors = folder.resolve("vectors.trec");
        try (RecordWriter writer = RecordWriter.create(vectors, base.withLabel(LabelKind.VECTOR, 3))) {
            writer.add(jpeg, Label.ofVector(1.5f, -0f, Float.MIN_VALUE), "a", "a.jpg");
            writer.commit();
        }
        try (RecordReader reader = RecordReader.open(vectors)) {
            assertThat(((Label.OfVector) reader.read(0).label()).values()).containsExactly(1.5f, -0f, Float.MIN_VALUE);
            assertThat(reader.read(0).image()).isEqualTo(jpeg);
        }
        Path boxes = folder.resolve("boxes.trec");
        Label label = Label.ofBoxes(List.of(
                new Label.Box(2, -1, 2, 3.5f, 4, Label.Box.DIFFICULT | Label.Box.CROWD), new Label.Box(0, 5, 6, 5, 8)));
        try (RecordWriter writer = RecordWriter.create(boxes, base.withLabel(LabelKind.BOXES, 0))) {
            writer.add(jpeg, label, "a", "a.jpg");
            writer.add(jpeg, Label.ofBoxes(List.of()), "b", "b.jpg");
            writer.commit();
        }
        try (RecordReader reader = RecordReader.open(boxes)) {
            assertThat(reader.read(0).label()).isEqualTo(label);
            assertThat(reader.read(1).label()).isEqualTo(Label.ofBoxes(List.of()));
        }
    }

    @Test
    void rawFilesCarryChannelStatistics() {
        Path file = folder.resolve("rgb.trec");
        try (RecordWriter writer = RecordWriter.create(file, RecordSchema.rawClasses("train", 1, 2, 3, CLASSES))) {
            writer.add(new byte[] {0, 10, (byte) 255, 2, 10, (byte) 255}, Label.ofClass(0), "a", "");
            writer.add(new byte[] {4, 10, 1, 6, 10, 1}, Label.ofClass(0), "b", "");
            writer.commit();
        }
        try (RecordReader reader = RecordReader.open(file)) {
            assertThat(reader.schema().channelMeans()).containsExactly(3.0, 10.0, 128.0);
            // Values 0 2 4 6: mean square 14, 14 − 9 = 5.
            assertThat(reader.schema().channelStds().get(0)).isCloseTo(Math.sqrt(5), within(1e-12));
            assertThat(reader.schema().channelStds().subList(1, 3)).containsExactly(0.0, 127.0);
            assertThat(reader.schema().pixelCount()).isEqualTo(4);
        }
    }

    /** @param pixels of one row, by sample; null where the writer is not told */
    private RecordSchema encoded(RecordSchema schema, Image... pixels) {
        Path file = folder.resolve("encoded.trec");
        byte[] jpeg = {(byte) 0xFF, (byte) 0xD8, (byte) 0xFF, 2, 3};
        try (RecordWriter writer = RecordWriter.create(file, schema)) {
            for (Image image : pixels) {
                writer.add(jpeg, Label.ofClass(0), "a", "", image == null ? null : ChannelStatistics.ofColours(image));
            }
            writer.commit();
        }
        try (RecordReader reader = RecordReader.open(file)) {
            return reader.schema();
        }
    }

    @Test
    void encodedFilesCarryTheStatisticsOfThePixelsThatTheWriterIsToldOf() {
        RecordSchema schema = RecordSchema.encodedClasses("train", CLASSES);
        Image grey = new Image(3, 1, 1, new byte[] {1, 2, 6});
        Image colour = new Image(1, 1, 3, new byte[] {3, 7, (byte) 255});
        Image transparent = new Image(1, 2, 4, new byte[] {1, 2, 3, 99, 5, 6, 7, 98});

        RecordSchema greys = encoded(schema, grey, new Image(1, 1, 1, new byte[] {3}));
        assertThat(greys.channelMeans()).containsExactly(3.0);
        assertThat(greys.channelStds().getFirst()).isCloseTo(Math.sqrt(50 / 4.0 - 9), within(1e-12));
        assertThat(greys.pixelCount()).isEqualTo(4);

        for (Image[] order : new Image[][] {{grey, colour}, {colour, grey}}) {
            RecordSchema mixed = encoded(schema, order);
            assertThat(mixed.channelMeans()).containsExactly(3.0, 4.0, 66.0);
            assertThat(mixed.channelStds().get(1)).isCloseTo(Math.sqrt(90 / 4.0 - 16), within(1e-12));
        }
        assertThat(encoded(schema, transparent).channelMeans()).containsExactly(3.0, 4.0, 5.0);
        assertThat(encoded(schema, colour, null).channelMeans()).isEmpty();

        RecordSchema stated = encoded(schema.withChannelStatistics(List.of(9.0), List.of(2.0), 0), colour);
        assertThat(stated.channelMeans()).containsExactly(9.0);
        assertThat(stated.channelStds()).containsExactly(2.0);
        assertThat(stated.pixelCount()).isZero();
    }

    /** Sums of squares leave 32 bits behind here. */
    @Test
    void statisticsOfLargePicturesAreExact() {
        for (int channels : new int[] {1, 3, 4}) {
            byte[] pixels = new byte[1301 * 1999 * channels];
            Arrays.fill(pixels, (byte) 255);
            for (int c = 0; c < channels; c++) {
                // One pixel in the middle is (0, 1, 2, 3).
                pixels[1301 * 1000 * channels + c] = (byte) c;
            }
            ChannelStatistics statistics = ChannelStatistics.of(new Image(1301, 1999, channels, pixels));
            long count = 1301 * 1999;
            assertThat(statistics.pixelCount()).isEqualTo(count);
            for (int c = 0; c < channels; c++) {
                assertThat(statistics.means().get(c)).isEqualTo((255.0 * (count - 1) + c) / count);
                // Two values, one of probability 1/n: their distance times √(n − 1)/n.
                assertThat(statistics.stds().get(c)).isCloseTo((255 - c) * Math.sqrt(count - 1) / count, within(1e-8));
            }
        }
    }

    @Test
    void anEmptyFileIsValid() {
        Path file = folder.resolve("empty.trec");
        try (RecordWriter writer = RecordWriter.create(file, RecordSchema.encodedClasses("test", CLASSES))) {
            writer.commit();
        }
        try (RecordReader reader = RecordReader.open(file)) {
            assertThat(reader.sampleCount()).isZero();
        }
    }

    @Test
    void aDamagedSampleIsNamedAndTheOthersStayReadable() throws IOException {
        Path file = small();
        byte[] bytes = Files.readAllBytes(file);
        bytes[RecordFormat.PAGE + 6] ^= 1;
        Files.write(file, bytes);
        try (RecordReader reader = RecordReader.open(file)) {
            assertThat(reader.read(0).image()).isEqualTo(pixels(0, 6));
            assertThat(reader.read(2).image()).isEqualTo(pixels(2, 6));
            assertThatThrownBy(() -> reader.read(1))
                    .isInstanceOf(RecordException.class)
                    .hasMessageContaining("sample 1 (key 'k1', source 'folder/ü1.png', at byte 4102)")
                    .hasMessageContaining("checksum differs")
                    .hasMessageContaining("build the file again");
        }
    }

    @Test
    void aFileThatShrinksWhileOpenIsAnErrorAndNotACrash() throws IOException {
        Path file = folder.resolve("large.trec");
        int size = 64 * 64 * 3;
        try (RecordWriter writer = RecordWriter.create(file, RecordSchema.rawClasses("train", 64, 64, 3, CLASSES))) {
            for (int i = 0; i < 50; i++) {
                writer.add(pixels(i, size), Label.ofClass(0), "k" + i, "");
            }
            writer.commit();
        }
        try (RecordReader reader = RecordReader.open(file)) {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(20_000);
            }
            assertThat(reader.read(0).image()).isEqualTo(pixels(0, size));
            assertThatThrownBy(() -> reader.read(40))
                    .isInstanceOf(RecordException.class)
                    .hasMessageContaining("sample 40 (key 'k40', at byte 495616)");
        }
    }

    @Test
    void otherFilesAreRefused() throws IOException {
        Path text = Files.writeString(folder.resolve("text.trec"), "hello world".repeat(1000));
        assertThatThrownBy(() -> RecordReader.open(text))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("not those of a record file");
        assertThatThrownBy(() -> RecordReader.open(folder.resolve("absent.trec")))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("no such file");
        assertThatThrownBy(() -> RecordReader.open(folder)).isInstanceOf(RecordException.class);
    }

    @Test
    void anUnknownVersionIsNamed() throws IOException {
        Path file = small();
        byte[] bytes = Files.readAllBytes(file);
        bytes[8] = 9;
        Files.write(file, bytes);
        assertThatThrownBy(() -> RecordReader.open(file))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("version=9, known=2");
    }

    @Test
    void versionOneIsRefusedByName() throws IOException {
        Path file = small();
        byte[] bytes = Files.readAllBytes(file);
        bytes[8] = 1;
        Files.write(file, bytes);
        assertThatThrownBy(() -> RecordReader.open(file))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("the file has format version 1 (at byte 8), this release reads version 2")
                .hasMessageContaining("build it again");
    }

    @Test
    void samplesThatDoNotFitTheSchemaAreRefused() {
        Path file = folder.resolve("refused.trec");
        try (RecordWriter writer = RecordWriter.create(file, RecordSchema.rawClasses("train", 2, 3, 1, CLASSES))) {
            assertThatThrownBy(() -> writer.add(new byte[5], Label.ofClass(0), "a", ""))
                    .isInstanceOf(RecordException.class)
                    .hasMessageContaining("wanted=6, given=5")
                    .hasMessageContaining("key 'a'");
            assertThatThrownBy(() -> writer.add(new byte[6], Label.ofClass(3), "a", ""))
                    .isInstanceOf(RecordException.class)
                    .hasMessageContaining("[0, 3)");
            assertThatThrownBy(() -> writer.add(new byte[6], Label.NONE, "a", ""))
                    .isInstanceOf(RecordException.class);
            writer.add(new byte[6], Label.ofClass(0), "a", "");
            writer.commit();
        }
        try (RecordReader reader = RecordReader.open(file)) {
            assertThat(reader.sampleCount()).isEqualTo(1);
        }
        assertThatThrownBy(() -> RecordSchema.rawClasses("train", 0, 3, 1, CLASSES))
                .isInstanceOf(RecordException.class);
    }

    @Test
    void theSameSamplesGiveTheSameBytes() throws IOException {
        byte[] first = Files.readAllBytes(small());
        assertThat(Files.readAllBytes(small())).isEqualTo(first);
    }
}
