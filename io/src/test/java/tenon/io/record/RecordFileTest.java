package tenon.io.record;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
    void everyFlippedByteIsAnErrorThatNamesTheFile() throws IOException {
        Path file = small();
        byte[] good = Files.readAllBytes(file);
        Path damaged = folder.resolve("damaged.trec");
        for (int i = 0; i < good.length; i++) {
            byte[] bytes = good.clone();
            bytes[i] ^= (byte) (1 << i % 8);
            Files.write(damaged, bytes);
            int at = i;
            assertThatThrownBy(() -> {
                        try (RecordReader reader = RecordReader.open(damaged)) {
                            reader.verify();
                        }
                    })
                    .as("byte %d", at)
                    .isInstanceOf(RecordException.class)
                    .hasMessageContaining(damaged.toString());
        }
    }

    @Test
    void everyTruncationIsAnError() throws IOException {
        byte[] good = Files.readAllBytes(small());
        Path damaged = folder.resolve("short.trec");
        for (int length = 0; length < good.length; length++) {
            Files.write(damaged, Arrays.copyOf(good, length));
            assertThatThrownBy(() -> RecordReader.open(damaged).close())
                    .as("length %d", length)
                    .isInstanceOf(RecordException.class)
                    .hasMessageContaining(damaged.toString());
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
                .hasMessageContaining("the file has format version 1, this release reads version 2")
                .hasMessageContaining("build it again");
    }

    @Test
    void offsetsThatContradictTheFileAreRefusedEvenWithRightChecksums() throws IOException {
        byte[] good = Files.readAllBytes(small());
        Path hostile = folder.resolve("hostile.trec");
        int footer = good.length - RecordFormat.FOOTER_BYTES;
        int index = (int) ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN).getLong(footer + 24);
        long[] values = {-1, Long.MIN_VALUE, Long.MAX_VALUE, Integer.MAX_VALUE, good.length + 1};
        for (int field = 0; field < 48; field += 8) {
            for (long value : values) {
                expectRefused(hostile, resealed(good, footer + field, value, 8));
            }
        }
        for (int field : new int[] {0, 24}) {
            for (long value : values) {
                expectRefused(hostile, resealed(good, index + field, value, 8));
            }
        }
        for (int field : new int[] {8, 12, 16, 32, 36}) {
            for (int value : new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, 1000}) {
                expectRefused(hostile, resealed(good, index + field, value, 4));
            }
        }
    }

    private static void expectRefused(Path file, byte[] bytes) throws IOException {
        Files.write(file, bytes);
        assertThatThrownBy(() -> RecordReader.open(file).close()).isInstanceOf(RecordException.class);
    }

    /** The file with one number replaced and all checksums made right again. */
    private static byte[] resealed(byte[] good, int at, long value, int size) {
        byte[] bytes = good.clone();
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int footer = bytes.length - RecordFormat.FOOTER_BYTES;
        int dataEnd = (int) buffer.getLong(footer + 16);
        if (size == 8) {
            buffer.putLong(at, value);
        } else {
            buffer.putInt(at, (int) value);
        }
        buffer.putInt(footer + 52, crc(bytes, dataEnd, footer));
        buffer.putInt(footer + 56, crc(bytes, footer, footer + 56));
        return bytes;
    }

    private static int crc(byte[] bytes, int from, int to) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, from, to - from);
        return (int) crc.getValue();
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
    void withoutCommitTheOldFileStaysAndNothingElseIsLeft() throws IOException {
        Path file = small();
        byte[] before = Files.readAllBytes(file);
        try (RecordWriter writer = RecordWriter.create(file, RecordSchema.rawClasses("train", 2, 3, 1, CLASSES))) {
            writer.add(new byte[6], Label.ofClass(0), "other", "");
        }
        assertThat(Files.readAllBytes(file)).isEqualTo(before);
        assertOnlyFile(file);
    }

    @Test
    void aFullDiskIsAClearErrorAndLeavesTheOldFile() throws IOException {
        Path file = small();
        byte[] before = Files.readAllBytes(file);
        RecordSchema schema = RecordSchema.rawClasses("train", 2, 3, 1, CLASSES);
        // Fails at the index, at the header, at fsync, and, with large samples, in the middle of the data.
        for (int budget : new int[] {0, 1, 2}) {
            try (RecordWriter writer = RecordWriter.create(file, schema, path -> failing(path, budget), 1 << 30)) {
                writer.add(new byte[6], Label.ofClass(0), "other", "");
                assertThatThrownBy(writer::commit)
                        .isInstanceOf(RecordException.class)
                        .hasMessageContaining("No space left on device")
                        .hasMessageContaining("writing failed after 1 samples")
                        .hasMessageContaining("free bytes")
                        .hasMessageContaining(file.toString());
            }
            assertThat(Files.readAllBytes(file)).isEqualTo(before);
            assertOnlyFile(file);
        }
        RecordSchema large = RecordSchema.rawClasses("train", 1024, 1024, 1, CLASSES);
        try (RecordWriter writer = RecordWriter.create(file, large, path -> failing(path, 0), 1 << 30)) {
            assertThatThrownBy(() -> {
                        for (int i = 0; i < 3; i++) {
                            writer.add(new byte[1 << 20], Label.ofClass(0), "k", "");
                        }
                    })
                    .isInstanceOf(RecordException.class)
                    .hasMessageContaining("No space left on device");
            assertThatThrownBy(writer::commit).isInstanceOf(RecordException.class);
        }
        assertThat(Files.readAllBytes(file)).isEqualTo(before);
        assertOnlyFile(file);
    }

    /** A file whose operations fail once {@code budget} of them have succeeded. */
    private static RecordFile failing(Path path, int budget) throws IOException {
        RecordFile file = RecordFile.open(path);
        int[] left = {budget};
        return new RecordFile() {
            private void spend() throws IOException {
                if (left[0]-- <= 0) {
                    throw new IOException("No space left on device");
                }
            }

            @Override
            public void write(ByteBuffer from, long position) throws IOException {
                spend();
                file.write(from, position);
            }

            @Override
            public void force() throws IOException {
                spend();
                file.force();
            }

            @Override
            public void close() throws IOException {
                file.close();
            }
        };
    }

    private void assertOnlyFile(Path file) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void theSameSamplesGiveTheSameBytes() throws IOException {
        byte[] first = Files.readAllBytes(small());
        assertThat(Files.readAllBytes(small())).isEqualTo(first);
    }
}
