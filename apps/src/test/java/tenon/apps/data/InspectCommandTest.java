package tenon.apps.data;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.apps.pictures.BoxDrawing;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.record.Label;
import tenon.io.record.LabelKind;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;
import tenon.io.record.Records;

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
        assertThat(result.errLines()).hasSize(2);
        assertThat(result.errLines().getFirst())
                .startsWith("warning: record file " + file
                        + ": sample 4 (key 'key4', source 'pictures/4.png', at byte 4120)")
                .contains("checksum differs");
        assertThat(result.errLines().getLast())
                .isEqualTo("tenon inspect: 1 of 5 samples damaged: build the file again");
    }

    /** Shard 0 with pictures 0 and 1, shard 1 with 2, 3 and 4: PNG files of 40×20 and 20×40 by turns. */
    private List<Path> writeShards(LabelKind kind) {
        List<Path> files = new ArrayList<>();
        int number = 0;
        for (int shard = 0; shard < 2; shard++) {
            Path target = folder.resolve(Records.fileName("val", shard, 2));
            RecordSchema schema = RecordSchema.encodedClasses("val", List.of("cat", "doggy"))
                    .withLabel(kind, 0)
                    .withShard(shard, 2);
            try (RecordWriter writer = RecordWriter.create(target, schema)) {
                for (int end = shard == 0 ? 2 : 5; number < end; number++) {
                    int width = number % 2 == 0 ? 40 : 20;
                    byte[] grey = new byte[800];
                    Arrays.fill(grey, (byte) (50 * number));
                    byte[] png = ImageCodec.encodePng(new Image(width, 800 / width, 1, grey));
                    Label label = kind == LabelKind.CLASS
                            ? Label.ofClass(number % 2)
                            : Label.ofBoxes(List.of(
                                    new Label.Box(0, 2, 3, 12, 13), new Label.Box(1, 4, 5, 9, 10, Label.Box.CROWD)));
                    writer.add(png, label, "key" + number, "");
                }
                writer.commit();
            }
            files.add(target);
        }
        return files;
    }

    @Test
    void shardsAreOneSetWithSizesOfBytesAndPictures() throws IOException {
        List<Path> files = writeShards(LabelKind.CLASS);
        Cli.Result result = Cli.run("inspect", files.get(1), "--json");
        assertThat(result.exitCode()).as(result.err()).isZero();
        long bytes = Files.size(files.get(0)) + Files.size(files.get(1));
        assertThat(result.outLines())
                .contains(
                        String.format(Locale.ROOT, "%s and 1 more files: 5 samples, %,d bytes", files.get(0), bytes),
                        "split     val, 2 shards",
                        "images    encoded, sizes differ",
                        "  cat    3",
                        "  doggy  2",
                        "pictures  40x20: 3, 20x40: 2");
        JsonNode json = result.json();
        assertThat(json.get("files").size()).isEqualTo(2);
        assertThat(json.get("picture_sizes").get("40x20").asInt()).isEqualTo(3);
        JsonNode histogram = json.get("image_bytes").get("histogram");
        int counted = 0;
        for (JsonNode bin : histogram) {
            assertThat(bin.get("to").asLong()).isEqualTo(2 * bin.get("from").asLong());
            counted += bin.get("count").asInt();
        }
        assertThat(counted).isEqualTo(5);

        Cli.Result alone = Cli.run("inspect", files.get(1), "--single", "--json");
        assertThat(alone.json().get("samples").asInt()).isEqualTo(3);
        assertThat(alone.outLines()).contains("split     val, shard 1 of 2 alone");
        Files.delete(files.get(0));
        assertThat(Cli.run("inspect", files.get(1)).err())
                .contains("of the set are missing: [val-00000-of-00002.trec]");
        assertThat(Cli.run("inspect", files.get(1), "--single").exitCode()).isZero();
    }

    @Test
    void verifyReportsEveryDamagedSampleOfAllShards() throws IOException {
        List<Path> files = writeShards(LabelKind.CLASS);
        for (Path target : files) {
            byte[] bytes = Files.readAllBytes(target);
            bytes[4096 + 20] ^= 1;
            Files.write(target, bytes);
        }
        Cli.Result result = Cli.run("inspect", files.get(0), files.get(1), "--verify", "--json");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.errLines()).hasSize(3);
        assertThat(result.out()).contains("2 damaged");
        JsonNode json = result.json();
        assertThat(json.get("error").asText()).isEqualTo("2 of 5 samples damaged: build the file again");
        assertThat(json.get("verified").asBoolean()).isFalse();
        JsonNode second = json.get("damaged").get(1);
        assertThat(second.get("sample").asInt()).isEqualTo(2);
        assertThat(second.get("number_in_file").asInt()).isZero();
        assertThat(second.get("file").asText()).isEqualTo(files.get(1).toString());
        assertThat(second.get("key").asText()).isEqualTo("key2");
        assertThat(second.get("offset").asInt()).isEqualTo(4096);
        assertThat(result.outLines()).anyMatch(line -> line.startsWith("damaged   2: --verify"));
    }

    @Test
    void verifyFindsPicturesThatWereNeverWhole() {
        Path target = folder.resolve("cut.trec");
        byte[] png = ImageCodec.encodePng(new Image(40, 20, 1, new byte[800]));
        try (RecordWriter writer = RecordWriter.create(target, RecordSchema.encodedClasses("train", List.of("cat")))) {
            writer.add(png, Label.ofClass(0), "whole", "");
            writer.add(Arrays.copyOf(png, 40), Label.ofClass(0), "cut", "cut.png");
            writer.commit();
        }
        Cli.Result result = Cli.run("inspect", target, "--verify");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.errLines().getFirst())
                .startsWith("warning: record file " + target + ": sample 1 (key 'cut', source 'cut.png', at byte ")
                .contains("image cut: ");
        assertThat(result.errLines().getLast()).contains("1 of 2 samples damaged");
    }

    @Test
    void boxesAreCountedAndDrawnInTheColoursOfTheirClasses() throws IOException {
        Path target = writeShards(LabelKind.BOXES).getFirst();
        Path picture = folder.resolve("boxes.png");
        Cli.Result result = Cli.run("inspect", target, "--sample", 4, "--picture", picture);
        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(result.outLines()).contains("boxes     10", "  cat    5", "  doggy  5");
        BufferedImage image = ImageIO.read(picture.toFile());
        int grey = 0xFFC8C8C8;
        int first = BoxDrawing.color(0).getRGB();
        int second = BoxDrawing.color(1).getRGB();
        assertThat(first).isNotEqualTo(second);
        assertThat(List.of(image.getRGB(2, 3), image.getRGB(12, 3), image.getRGB(2, 13), image.getRGB(12, 13)))
                .containsOnly(first);
        assertThat(image.getRGB(4, 5)).isEqualTo(second);
        assertThat(List.of(image.getRGB(1, 3), image.getRGB(3, 4), image.getRGB(13, 13), image.getRGB(6, 7)))
                .containsOnly(grey);
    }

    @Test
    void aMontageShowsPicturesFromAllShardsInTheirPlaces() throws IOException {
        List<Path> files = writeShards(LabelKind.CLASS);
        byte[] bytes = Files.readAllBytes(files.get(1));
        bytes[4096 + 20] ^= 1;
        Files.write(files.get(1), bytes);
        Path sheet = folder.resolve("sheet.png");
        Cli.Result result = Cli.run("inspect", files.get(0), "--montage", sheet, "--columns", 2);
        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(result.out()).contains("montage   5 pictures, 1 of them damaged, written to " + sheet);
        BufferedImage image = ImageIO.read(sheet.toFile());
        // Squares of 128, margins of 10, a line of text of 15 and 5 below it.
        assertThat(image.getWidth()).isEqualTo(10 + 2 * 138);
        assertThat(image.getHeight()).isEqualTo(10 + 3 * 158);
        for (int i : new int[] {0, 1, 3, 4}) {
            int x = 10 + i % 2 * 138;
            int y = 10 + i / 2 * 158;
            assertThat(image.getRGB(x + 64, y + 64) & 0xFF).isEqualTo(50 * i);
            // Wide pictures leave white above, tall ones beside them.
            assertThat(image.getRGB(x + 64, y + 5)).isEqualTo(i % 2 == 0 ? -1 : image.getRGB(x + 64, y + 64));
            assertThat(image.getRGB(x + 5, y + 64)).isEqualTo(i % 2 == 1 ? -1 : image.getRGB(x + 64, y + 64));
        }
        assertThat(image.getRGB(10 + 64, 10 + 158 + 64)).isEqualTo(0xFFFF0000);

        Cli.Result two = Cli.run("inspect", files.get(0), "--montage", sheet, "--montage-count", 2);
        assertThat(two.exitCode()).isZero();
        assertThat(ImageIO.read(sheet.toFile()).getWidth()).isEqualTo(10 + 2 * 138);
        assertThat(Cli.run("inspect", files.get(0), "--montage", sheet, "--montage-count", 0)
                        .exitCode())
                .isEqualTo(2);
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
