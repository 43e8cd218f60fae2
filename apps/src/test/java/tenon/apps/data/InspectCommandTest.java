package tenon.apps.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.io.record.Label;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;

class InspectCommandTest {
    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void write() {
        file = folder.resolve("small.trec");
        try (RecordWriter writer =
                RecordWriter.create(file, RecordSchema.rawClasses("train", 2, 3, 1, List.of("cat", "doggy")))) {
            for (int i = 0; i < 5; i++) {
                byte[] pixels = {0, (byte) 50, (byte) 100, (byte) 150, (byte) 200, (byte) (251 + i)};
                writer.add(pixels, Label.ofClass(i % 2), "key" + i, "pictures/" + i + ".png");
            }
            writer.commit();
        }
    }

    @Test
    void showsHeaderAndSamplesPerClass() {
        Cli.Result result = Cli.run("inspect", file, "--json");
        assertThat(result.exitCode()).isZero();
        assertThat(result.outLines())
                .contains("images    raw-u8, 2x3x1 (HxWxC)", "labels    class", "  cat    3", "  doggy  2");
        assertThat(result.json().get("command").asText()).isEqualTo("inspect");
        assertThat(result.json().get("samples").asInt()).isEqualTo(5);
        assertThat(result.json().get("classes").get("cat").asInt()).isEqualTo(3);
    }

    @Test
    void writesTheSamplesPicture() throws IOException {
        Path picture = folder.resolve("four.png");
        Cli.Result result = Cli.run("inspect", file, "--sample", 4, "--picture", picture, "--verify");
        assertThat(result.exitCode()).isZero();
        assertThat(result.out()).contains("class 0 (cat), key 'key4', source 'pictures/4.png'");
        assertThat(result.out())
                .contains("5/5 [==============================]")
                .contains("all checksums right");
        var read = ImageIO.read(picture.toFile());
        assertThat(List.of(read.getWidth(), read.getHeight())).containsExactly(3, 2);
        assertThat(read.getRaster().getSample(2, 1, 0)).isEqualTo(255);
        assertThat(read.getRaster().getSample(1, 0, 0)).isEqualTo(50);
    }

    @Test
    void verifyNamesTheDamagedSample() throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        for (int i = 0; i < bytes.length - 2; i++) {
            // The last sample is the only one whose picture ends with 200, 255.
            if ((bytes[i] & 0xFF) == 200 && (bytes[i + 1] & 0xFF) == 255) {
                bytes[i] ^= 1;
            }
        }
        Files.write(file, bytes);
        Cli.Result result = Cli.run("inspect", file, "--verify");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.err()).contains("sample 4 (key 'key4'").contains("checksum differs");
        assertThat(result.errLines()).hasSize(1);
    }

    @Test
    void truncatedFileIsOneClearLine() throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, bytes.length - 10));
        Cli.Result result = Cli.run("inspect", file);
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.errLines())
                .containsExactly("tenon inspect: record file " + file
                        + ": the end mark is missing at byte " + (bytes.length - 14)
                        + " (the file is damaged or was not written completely: build"
                        + " it again)");
    }

    @Test
    void missingFileAndWrongSample() {
        assertThat(Cli.run("inspect", folder.resolve("no.trec")).errLines())
                .containsExactly("tenon inspect: record file " + folder.resolve("no.trec")
                        + ": there is no such file (build it first)");
        Cli.Result wrong = Cli.run("inspect", file, "--sample", 5);
        assertThat(wrong.exitCode()).isEqualTo(2);
        assertThat(wrong.errLines())
                .containsExactly(
                        "tenon inspect: --sample must lie in [0, 5): 5",
                        "Run 'tenon inspect --help' for what it takes.");
    }
}
