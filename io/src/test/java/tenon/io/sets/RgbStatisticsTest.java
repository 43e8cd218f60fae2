package tenon.io.sets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.io.build.BuildException;
import tenon.io.build.BuildReport;
import tenon.io.build.BuildSettings;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;

class RgbStatisticsTest {
    @TempDir
    private Path folder;

    private String png(String name, int width, int height, int red, int green, int blue) throws IOException {
        byte[] pixels = new byte[3 * width * height];
        for (int i = 0; i < pixels.length; i += 3) {
            pixels[i] = (byte) red;
            pixels[i + 1] = (byte) green;
            pixels[i + 2] = (byte) blue;
        }
        return Files.write(folder.resolve(name), ImageCodec.encodePng(new Image(width, height, 3, pixels)))
                .toString();
    }

    private static RgbStatistics statistics(List<BuildReport.Skipped> skipped, String... files) {
        return RgbStatistics.of(
                List.of(files), BuildSettings.into(Path.of("unused")).threads(3), skipped);
    }

    @Test
    void everyImageHasEqualWeight() throws IOException {
        RgbStatistics statistics =
                statistics(new ArrayList<>(), png("red.png", 10, 10, 255, 0, 0), png("blue.png", 100, 10, 0, 0, 255));
        assertThat(statistics).isEqualTo(new RgbStatistics(new Rgb(127.5, 0, 127.5), new Rgb(127.5, 0, 127.5)));
    }

    @Test
    void theFileIsAnObjectOfThreeNumbers() throws IOException {
        Path file = folder.resolve("out/mean.json");
        Rgb means = new Rgb(124.25, 117.5, 0.1 + 0.2);
        means.write(file);
        JsonNode json = new ObjectMapper().readTree(file.toFile());
        assertThat(json.fieldNames()).toIterable().containsExactly("R", "G", "B");
        assertThat(json.get("R").asDouble()).isEqualTo(124.25);
        assertThat(Rgb.read(file)).isEqualTo(means);
    }

    @Test
    void imagesThatCannotBeDecodedDoNotCount() throws IOException {
        Path text = Files.writeString(folder.resolve("text.png"), "no picture");
        List<BuildReport.Skipped> skipped = new ArrayList<>();
        assertThat(statistics(skipped, png("grey.png", 3, 2, 7, 8, 9), text.toString()))
                .isEqualTo(new RgbStatistics(new Rgb(7, 8, 9), new Rgb(0, 0, 0)));
        assertThat(skipped)
                .singleElement()
                .satisfies(file -> assertThat(file.source()).isEqualTo(text.toString()));
        assertThatThrownBy(() -> statistics(new ArrayList<>(), text.toString()))
                .isInstanceOf(BuildException.class)
                .hasMessageStartingWith("channel means: none of 1 images can be decoded; the first: ");
    }

    @Test
    void stopsWhenTold() throws IOException {
        List<String> files = List.of(png("red.png", 10, 10, 255, 0, 0));
        BuildSettings settings = BuildSettings.into(folder).stopWhen(() -> true);
        assertThatThrownBy(() -> RgbStatistics.of(files, settings, new ArrayList<>()))
                .hasMessage("channel means: stopped after 0 of 1 images");
    }

    @Test
    void otherFilesAreRefused() throws IOException {
        assertThatThrownBy(() -> Rgb.read(folder.resolve("none.json"))).hasMessageEndingWith("there is no such file");
        for (String text : List.of(
                "",
                "7",
                "{\"R\":1,\"G\":2}",
                "{\"R\":1,\"G\":2,\"B\":\"3\"}",
                "{\"R\":1,\"G\":2,\"B\":256}",
                "{\"R\"")) {
            Path file = Files.writeString(folder.resolve("bad.json"), text);
            assertThatThrownBy(() -> Rgb.read(file))
                    .as(text)
                    .isInstanceOf(BuildException.class)
                    .hasMessageStartingWith(
                            "channel means " + file + ": must be a JSON object of R, G and B from 0 to 255: ");
        }
        Path large = Files.write(folder.resolve("large.json"), new byte[70_000]);
        assertThatThrownBy(() -> Rgb.read(large)).hasMessageContaining("too long: 70000 bytes");
    }
}
