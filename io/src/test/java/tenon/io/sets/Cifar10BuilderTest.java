package tenon.io.sets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.io.build.BuildException;
import tenon.io.build.BuildReport;
import tenon.io.build.BuildSettings;
import tenon.io.record.RecordReader;
import tenon.io.record.Sample;

class Cifar10BuilderTest {
    private static final int RECORD = 3073;

    @TempDir
    private Path folder;

    /** Picture i of a batch: label, then value (7·i + place) mod 251 at each place of the three planes. */
    private static byte[] batch(int... labels) {
        byte[] bytes = new byte[labels.length * RECORD];
        for (int i = 0; i < labels.length; i++) {
            bytes[i * RECORD] = (byte) labels[i];
            for (int p = 0; p < RECORD - 1; p++) {
                bytes[i * RECORD + 1 + p] = (byte) ((7 * i + p) % 251);
            }
        }
        return bytes;
    }

    private Path input() throws IOException {
        Path input = Files.createDirectories(folder.resolve("data/cifar-10-batches-bin"));
        Files.write(input.resolve("data_batch_1.bin"), batch(3, 9, 0));
        Files.write(input.resolve("data_batch_2.bin"), batch(1, 2));
        Files.write(input.resolve("test_batch.bin"), batch(8));
        return input;
    }

    @Test
    void pixelsAreMadeOfThreePlanes() throws IOException {
        input();
        Path out = folder.resolve("out");
        BuildReport report =
                new Cifar10Builder(folder.resolve("data")).validation(1).build(BuildSettings.into(out));
        assertThat(report.parts().stream().map(BuildReport.Part::split)).containsExactly("train", "val", "test");
        assertThat(report.parts().stream().map(BuildReport.Part::sampleCount)).containsExactly(4L, 1L, 1L);
        try (RecordReader reader = RecordReader.open(out.resolve("train.trec"))) {
            assertThat(reader.schema().classNames()).isEqualTo(Cifar10Builder.CLASS_NAMES);
            assertThat(List.of(
                            reader.schema().height(),
                            reader.schema().width(),
                            reader.schema().channels()))
                    .containsExactly(32, 32, 3);
            assertThat(IntStream.range(0, 4).map(reader::classIndex)).containsExactly(3, 9, 0, 1);
            Sample sample = reader.read(1);
            assertThat(sample.key()).isEqualTo("data_batch_1/1");
            // Pixel (0, 0) is bytes 0, 1024 and 2048; row 2, column 5 is byte 69 of each plane.
            assertThat(Arrays.copyOf(sample.image(), 3))
                    .containsExactly((byte) 7, (byte) (1031 % 251), (byte) (2055 % 251));
            int at = 3 * (2 * 32 + 5);
            assertThat(Arrays.copyOfRange(sample.image(), at, at + 3))
                    .containsExactly((byte) 76, (byte) ((7 + 1024 + 69) % 251), (byte) ((7 + 2048 + 69) % 251));
        }
        try (RecordReader reader = RecordReader.open(out.resolve("val.trec"))) {
            assertThat(reader.key(0)).isEqualTo("data_batch_2/1");
        }
    }

    @Test
    void classNamesComeFromTheMetaFile() throws IOException {
        Path input = input();
        String names = IntStream.range(0, 10).mapToObj(i -> "class" + i).collect(Collectors.joining("\n"));
        Files.writeString(input.resolve("batches.meta.txt"), names + "\n\n");
        new Cifar10Builder(input).build(BuildSettings.into(folder.resolve("named")));
        try (RecordReader reader = RecordReader.open(folder.resolve("named/test.trec"))) {
            assertThat(reader.schema().classNames()).startsWith("class0").endsWith("class9");
        }
        Files.writeString(input.resolve("batches.meta.txt"), "one\n");
        assertThatThrownBy(() -> build(input)).hasMessageContaining("there must be 10 class names: found=1");
    }

    private void build(Path input) {
        new Cifar10Builder(input).build(BuildSettings.into(folder.resolve("none")));
    }

    @Test
    void otherFilesAreRefused() throws IOException {
        Path input = input();
        Path batch = input.resolve("data_batch_2.bin");
        Files.write(batch, Arrays.copyOf(batch(1, 2), 2 * RECORD - 1));
        assertThatThrownBy(() -> build(input))
                .isInstanceOf(BuildException.class)
                .hasMessageStartingWith("cifar-10 " + batch + ": the length must be a multiple of 3073 bytes");
        Files.write(batch, batch(1, 10));
        assertThatThrownBy(() -> build(input))
                .hasMessage("cifar-10 " + batch + ": the class of picture 1 must lie in [0, 10): given=10");
        Files.write(batch, batch(1));
        Files.delete(input.resolve("test_batch.bin"));
        assertThatThrownBy(() -> build(input)).hasMessageEndingWith("test_batch.bin: there is no such file");
        assertThatThrownBy(() -> build(folder.resolve("data/..")))
                .hasMessageContaining("there is no data_batch_1.bin in it");
        assertThat(folder.resolve("none/train.trec")).doesNotExist();
    }
}
