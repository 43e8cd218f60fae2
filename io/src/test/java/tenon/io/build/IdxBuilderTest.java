package tenon.io.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.io.record.RecordReader;

class IdxBuilderTest {
    private static final List<String> CLASSES = List.of("zero", "one", "two");

    @TempDir
    Path folder;

    private static byte[] idx(byte[] data, int... dims) {
        ByteBuffer buffer = ByteBuffer.allocate(4 + 4 * dims.length + data.length);
        buffer.putInt(0x0800 | dims.length);
        for (int dim : dims) {
            buffer.putInt(dim);
        }
        return buffer.put(data).array();
    }

    private static byte[] counting(int size) {
        byte[] data = new byte[size];
        for (int i = 0; i < size; i++) {
            data[i] = (byte) i;
        }
        return data;
    }

    private static byte[] gzip(byte[] data) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream zip = new GZIPOutputStream(out)) {
            zip.write(data);
        }
        return out.toByteArray();
    }

    private Path write(String name, byte[] bytes) throws IOException {
        return Files.write(folder.resolve(name), bytes);
    }

    /** Ten 2×3 images, pixel values counting on; labels 0 1 2 0 1 …. */
    private IdxBuilder builder(boolean zipped) throws IOException {
        byte[] labels = new byte[10];
        for (int i = 0; i < 10; i++) {
            labels[i] = (byte) (i % 3);
        }
        byte[] images = idx(counting(60), 10, 2, 3);
        return new IdxBuilder(
                write("images", zipped ? gzip(images) : images),
                write("labels", zipped ? gzip(idx(labels, 10)) : idx(labels, 10)),
                CLASSES);
    }

    @Test
    void plainAndGzipFilesGiveTheSameRecords() throws IOException {
        BuildReport report = builder(false).build(BuildSettings.into(folder.resolve("plain")));
        builder(true).build(BuildSettings.into(folder.resolve("zipped")));
        assertThat(report.part("train").sampleCount()).isEqualTo(10);
        try (RecordReader reader = RecordReader.open(folder.resolve("plain/train.trec"));
                RecordReader zipped = RecordReader.open(folder.resolve("zipped/train.trec"))) {
            for (int i = 0; i < 10; i++) {
                assertThat(zipped.read(i)).usingRecursiveComparison().isEqualTo(reader.read(i));
            }
            assertThat(reader.schema().height()).isEqualTo(2);
            assertThat(reader.schema().width()).isEqualTo(3);
            assertThat(reader.schema().channels()).isEqualTo(1);
            assertThat(reader.read(4).image()).containsExactly(24, 25, 26, 27, 28, 29);
            assertThat(reader.classIndex(4)).isEqualTo(1);
            assertThat(reader.key(4)).isEqualTo("4");
        }
    }

    @Test
    void theLastSamplesCanBeHeldOut() throws IOException {
        BuildReport report = builder(false).holdOutLast("val", 2).build(BuildSettings.into(folder));
        assertThat(report.part("train").sampleCount()).isEqualTo(8);
        assertThat(report.part("val").sampleCount()).isEqualTo(2);
        try (RecordReader held = RecordReader.open(report.part("val").file())) {
            assertThat(held.key(0)).isEqualTo("8");
            assertThat(held.key(1)).isEqualTo("9");
            assertThat(held.schema().split()).isEqualTo("val");
        }
    }

    @Test
    void seededSamplesHeldOutCompleteTheRest() throws IOException {
        IdxBuilder builder = builder(false).holdOutSeeded("val", 3, 7);
        BuildReport report = builder.build(BuildSettings.into(folder.resolve("a")));
        builder.build(BuildSettings.into(folder.resolve("b")));
        TreeSet<Integer> keys = new TreeSet<>();
        for (BuildReport.Part part : report.parts()) {
            try (RecordReader reader = RecordReader.open(part.file())) {
                for (int i = 0; i < reader.sampleCount(); i++) {
                    keys.add(Integer.valueOf(reader.key(i)));
                }
            }
            assertThat(Files.readAllBytes(
                            folder.resolve("b").resolve(part.file().getFileName())))
                    .isEqualTo(Files.readAllBytes(part.file()));
        }
        assertThat(keys).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
        assertThat(report.part("val").sampleCount()).isEqualTo(3);
    }

    @Test
    void filesThatAreNotIdxAreRefused() throws IOException {
        Path labels = write("labels", idx(new byte[2], 2));
        expectRefused(new byte[0], labels, "no IDX file");
        expectRefused("not an idx file".getBytes(StandardCharsets.US_ASCII), labels, "no IDX file");
        expectRefused(new byte[] {0, 0, 0x0D, 3, 0, 0, 0, 1}, labels, "type=13");
        expectRefused(idx(new byte[2], 2), labels, "images and labels swapped?");
        expectRefused(new byte[] {0, 0, 8, 3, 0, 0}, labels, "ends inside its header");
    }

    @Test
    void dimensionsAreHeldAgainstTheLengthOfTheFile() throws IOException {
        Path labels = write("labels", idx(new byte[2], 2));
        expectRefused(
                idx(new byte[12], Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE),
                labels,
                "than a file of this length can hold");
        expectRefused(idx(new byte[12], -2, 2, 3), labels, "at least 1");
        expectRefused(gzip(idx(new byte[12], 1 << 20, 1 << 10, 1 << 5)), labels, "than a file of this length can hold");
    }

    @Test
    void truncatedAndOverlongFilesAreRefused() throws IOException {
        Path labels = write("labels", idx(new byte[2], 2));
        byte[] images = gzip(idx(counting(12), 2, 2, 3));
        for (int length = 3; length < images.length; length++) {
            expectRefused(Arrays.copyOf(images, length), labels, "idx file");
        }
        expectRefused(idx(counting(13), 2, 2, 3), labels, "goes on after its 2 items");
        expectRefused(gzip(idx(counting(9), 2, 2, 3)), labels, "item 1");
    }

    @Test
    void labelsMustFit() throws IOException {
        byte[] images = idx(counting(12), 2, 2, 3);
        expectRefused(images, write("labels", idx(new byte[] {0, 3}, 2)), "label 1 of");
        expectRefused(images, write("labels", idx(new byte[3], 3)), "images=2");
        assertThatThrownBy(() -> new IdxBuilder(folder.resolve("no"), folder.resolve("labels"), CLASSES)
                        .build(BuildSettings.into(folder)))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("no such file");
    }

    private void expectRefused(byte[] images, Path labels, String message) throws IOException {
        Path file = write("images", images);
        Path output = folder.resolve("out");
        assertThatThrownBy(() -> new IdxBuilder(file, labels, CLASSES).build(BuildSettings.into(output)))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining(message);
        assertThat(output.resolve("train.trec")).doesNotExist();
    }
}
