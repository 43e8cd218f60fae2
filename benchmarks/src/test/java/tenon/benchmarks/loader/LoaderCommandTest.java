package tenon.benchmarks.loader;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.benchmarks.Bench;
import tenon.io.record.Label;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;

class LoaderCommandTest {
    @TempDir
    Path folder;

    /** Twelve pictures of 40×30. */
    private Path records(boolean raw) throws IOException {
        Path file = folder.resolve(raw ? "raw.trec" : "jpeg.trec");
        RecordSchema schema = raw
                ? RecordSchema.rawClasses("train", 30, 40, 3, List.of("a"))
                : RecordSchema.encodedClasses("train", List.of("a"));
        Random random = new Random(1);
        try (RecordWriter writer = RecordWriter.create(file, schema)) {
            for (int i = 0; i < 12; i++) {
                byte[] bytes = new byte[30 * 40 * 3];
                random.nextBytes(bytes);
                if (!raw) {
                    BufferedImage image = new BufferedImage(40, 30, BufferedImage.TYPE_3BYTE_BGR);
                    image.setRGB(i, i, 0xFFFFFF);
                    ByteArrayOutputStream out = new ByteArrayOutputStream();
                    ImageIO.write(image, "jpeg", out);
                    bytes = out.toByteArray();
                }
                writer.add(bytes, Label.ofClass(0), "k" + i, "");
            }
            writer.commit();
        }
        return file;
    }

    private static Bench.Result run(Path records, Object... more) {
        Object[] arguments = {
            "loader", "--records", records, "--crop", 24, "--rounds", 2, "--seconds", 0.05, "--threads", 2, "--json"
        };
        Object[] all = Arrays.copyOf(arguments, arguments.length + more.length);
        System.arraycopy(more, 0, all, arguments.length, more.length);
        return Bench.run(all);
    }

    @Test
    void comparesBothLoadersOnJpegAndRawImages() throws IOException {
        for (boolean raw : new boolean[] {false, true}) {
            var result = run(records(raw), "--decoder", "stb", "--precision", raw ? "bf16" : "fp32");
            assertThat(result.exitCode()).as(result.err()).isZero();
            JsonNode json = result.json();
            double images = json.path("images_per_second").asDouble();
            assertThat(images).isPositive();
            assertThat(json.path("per_core").asDouble()).isBetween(images / 2 - 0.01, images / 2 + 0.01);
            assertThat(json.path("baseline_per_core").asDouble()).isPositive();
            assertThat(json.path("ratio").asDouble()).isPositive();
            assertThat(json.path("scaling").asDouble()).isPositive();
            assertThat(json.path("decoder").asText()).startsWith("stb_image");
            assertThat(json.path("rounds").path("imageio")).hasSize(2);
            if (raw) {
                assertThat(json.path("mean_file_bytes").asDouble()).isEqualTo(3600);
                assertThat(json.path("encoding").asText()).isEqualTo("raw 30×40");
            }
        }
    }

    @Test
    void refusesWhatCannotBeMeasured() throws IOException {
        assertThat(Bench.run("loader").exitCode()).isEqualTo(2);
        assertThat(Bench.run("loader", "--records", records(true), "--rounds", 0)
                        .exitCode())
                .isEqualTo(2);
        var result = Bench.run("loader", "--records", records(true), "--crop", 31, "--seconds", 0.05);
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.err()).contains("random crop").contains("crop height=31");
        assertThat(Bench.run("loader", "--records", records(true), "--decoder", "magic")
                        .err())
                .contains("JPEG decoder must be auto or one of [turbo, stb, imageio]: given=magic");
    }
}
