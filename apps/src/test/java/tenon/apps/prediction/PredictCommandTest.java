package tenon.apps.prediction;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.apps.TestData;
import tenon.apps.TestModels;
import tenon.apps.training.Augmentation;
import tenon.apps.training.NetworkSpec;

class PredictCommandTest {
    private static final List<String> CLASSES = List.of("a", "b, or \"B\"", "c", "d", "e", "f");

    @TempDir
    private static Path folder;

    private static Path model;
    /** Folders of classes with 0.png and 1.png in them, a hidden file, a text, and a damaged picture. */
    private static Path pictures;

    @BeforeAll
    static void write() throws IOException {
        model = folder.resolve("net.model");
        TestModels.write(model, NetworkSpec.Kind.SMALLVGG, 12, Augmentation.ALEXNET, CLASSES);
        pictures = folder.resolve("pictures");
        TestData.pictures(pictures, List.of("u", "v"), 2, 20, 16, 4);
        Files.writeString(pictures.resolve("notes.txt"), "no picture");
        Files.writeString(pictures.resolve("u/broken.jpg"), "no picture");
        Files.copy(pictures.resolve("u/0.png"), pictures.resolve("u/.hidden.png"));
    }

    @Test
    void foldersAreReadToTheEndAndWhatCannotBeReadIsReported() throws IOException {
        Path output = folder.resolve("out");
        Path table = folder.resolve("table/all.csv");
        Cli.Result result =
                Cli.run("predict", model, pictures, "--recursive", "--output", output, "--csv", table, "--batch", 3);
        Path broken = pictures.resolve("u/broken.jpg");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.errLines()).hasSize(2);
        assertThat(result.errLines().getFirst()).startsWith("warning: image " + broken);
        assertThat(result.errLines().getLast())
                .isEqualTo("tenon predict: 1 of 5 pictures could not be read: " + broken);
        for (String name : List.of("u/0.png", "u/1.png", "v/0.png", "v/1.png")) {
            assertThat(result.out()).contains(pictures.resolve(name) + ": ");
            BufferedImage drawn = ImageIO.read(output.resolve(name).toFile());
            // 20×16 is enlarged twelve times.
            assertThat(List.of(drawn.getWidth(), drawn.getHeight())).containsExactly(240 + 310, 192);
        }
        List<String> lines = Files.readAllLines(table);
        assertThat(lines).hasSize(5);
        assertThat(lines.getFirst())
                .startsWith("picture,class-1,probability-1,class-2")
                .endsWith(",probability-5");
        assertThat(lines.get(4)).startsWith(pictures.resolve("v/1.png") + ",");
        for (String line : lines.subList(1, 5)) {
            double[] five = probabilities(line);
            assertThat(five).hasSize(5);
            double sum = five[0];
            for (int i = 1; i < 5; i++) {
                assertThat(five[i]).isPositive().isLessThanOrEqualTo(five[i - 1]);
                sum += five[i];
            }
            // There is a sixth class.
            assertThat(sum).isLessThan(1);
        }
        // Names are quoted where they must be.
        assertThat(String.join("\n", lines)).contains(",\"b, or \"\"B\"\"\",");
    }

    @Test
    void everyPictureIsALineOfJson() throws IOException {
        Path output = folder.resolve("none");
        Cli.Result result = Cli.run(
                "predict",
                model,
                pictures.resolve("v"),
                pictures.resolve("u/broken.jpg"),
                "--no-pictures",
                "--output",
                output,
                "--top",
                2,
                "--json");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.outLines()).hasSize(4);
        JsonNode first = new ObjectMapper().readTree(result.outLines().getFirst());
        assertThat(first.get("command").asText()).isEqualTo("predict");
        assertThat(first.get("picture").asText())
                .isEqualTo(pictures.resolve("v/0.png").toString());
        assertThat(first.get("predictions")).hasSize(2);
        assertThat(first.get("predictions").get(0).get("name")).isEqualTo(first.get("label"));
        assertThat(first.get("predictions").get(0).get("probability")).isEqualTo(first.get("probability"));
        assertThat(first.get("drawn").isNull()).isTrue();
        assertThat(new ObjectMapper()
                        .readTree(result.outLines().get(2))
                        .get("error")
                        .asText())
                .contains("broken.jpg");
        assertThat(result.json().get("pictures").asInt()).isEqualTo(3);
        assertThat(result.json().get("failed").asInt()).isEqualTo(1);
        assertThat(result.json().get("error").asText()).contains("1 of 3 pictures could not be read");
        assertThat(output).doesNotExist();
    }

    @Test
    void drawingsOverwriteNeitherPicturesNorEachOther() throws IOException {
        Path mixed = folder.resolve("mixed");
        TestData.pictures(mixed, List.of("x", "y"), 1, 20, 16, 6);
        byte[] before = Files.readAllBytes(mixed.resolve("x/0.png"));
        Cli.Result result = Cli.run(
                "predict", model, mixed.resolve("x/0.png"), mixed.resolve("y/0.png"), "--output", mixed.resolve("x"));
        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(Files.readAllBytes(mixed.resolve("x/0.png"))).isEqualTo(before);
        assertThat(mixed.resolve("x/0-2.png")).isRegularFile();
        assertThat(mixed.resolve("x/0-3.png")).isRegularFile();
        // What was drawn into a folder is not predicted again.
        Cli.Result again = Cli.run("predict", model, mixed, "-r", "--output", mixed.resolve("x"), "--json");
        assertThat(again.json().get("pictures").asInt()).isEqualTo(1);
    }

    @Test
    void tenCropsAreThoseOfEvaluate() throws IOException {
        Path labelled = folder.resolve("labelled");
        TestData.pictures(labelled, CLASSES, 2, 24, 16, 9);
        Path evaluated = folder.resolve("evaluated.csv");
        Path predicted = folder.resolve("predicted.csv");
        Cli.Result evaluation = Cli.run(
                "evaluate", model, "--data", labelled, "--crops", 10, "--resize", 14, "--predictions", evaluated);
        assertThat(evaluation.exitCode()).as(evaluation.err()).isZero();
        Cli.Result prediction = Cli.run(
                "predict", model, labelled, "-r", "--no-pictures", "--crops", 10, "--resize", 14, "--csv", predicted);
        assertThat(prediction.exitCode()).as(prediction.err()).isZero();
        Map<String, double[]> byKey = new HashMap<>();
        for (String line : Files.readAllLines(evaluated).subList(1, 13)) {
            byKey.put(line.substring(0, line.indexOf(".png")), probabilities(line));
        }
        List<String> lines = Files.readAllLines(predicted);
        assertThat(lines).hasSize(13);
        for (String line : lines.subList(1, 13)) {
            String picture = line.startsWith("\"") ? line.substring(1) : line;
            String key = picture.substring(labelled.toString().length() + 1, picture.indexOf(".png"));
            double[] expected = byKey.entrySet().stream()
                    .filter(entry -> entry.getKey().replace("\"\"", "\"").endsWith(key.replace("\"\"", "\"")))
                    .findFirst()
                    .orElseThrow()
                    .getValue();
            assertThat(probabilities(line)).containsExactly(expected, Offset.offset(1e-4));
        }
    }

    /** The numbers of a row: no other column is one. */
    private static double[] probabilities(String line) {
        return java.util.Arrays.stream(line.split(","))
                .filter(cell -> cell.matches("\\d\\.\\d+(E-\\d+)?"))
                .mapToDouble(Double::parseDouble)
                .toArray();
    }

    @Test
    void wrongCallsAreRefused() throws IOException {
        Path empty = Files.createDirectories(folder.resolve("empty"));
        Cli.Result none = Cli.run("predict", model, empty);
        assertThat(none.exitCode()).isEqualTo(2);
        assertThat(none.err()).contains("there are no pictures in the folder " + empty);
        assertThat(Cli.run("predict", model, pictures).err()).contains("--recursive looks into");
        assertThat(Cli.run("predict", model, pictures, "-r", "--top", 0).exitCode())
                .isEqualTo(2);
        assertThat(Cli.run("predict", model, pictures, "-r", "--crops", 4).err())
                .contains("--crops must be 1, 5 or 10");
    }
}
