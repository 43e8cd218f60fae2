package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.apps.TestData;

class AugmentCommandTest {
    @TempDir
    private Path folder;

    private Path picture() throws IOException {
        TestData.pictures(folder, List.of("a"), 1, 60, 40, 5);
        return folder.resolve("a/0.png");
    }

    @Test
    void listsEveryPresetWithItsSettings() {
        Cli.Result listed = Cli.run("augment", "--json");
        assertThat(listed.exitCode()).isZero();
        JsonNode presets = listed.json().get("presets");
        assertThat(presets).hasSize(Augmentation.values().length);
        assertThat(listed.out())
                .contains("alexnet: AlexNet on ImageNet")
                .contains(
                        "turned by up to 15° and sheared by up to 0.1 (outside: 255), random crop 227x227, mirrored 50"
                                + " % of the time")
                .contains("centre crop 227x227")
                .contains(
                        "turned by up to 20°, shifted by up to 20 %, sheared by up to 0.15 rad, zoomed by up to 15 %");
        Cli.Result one = Cli.run("augment", "--preset", "age-gender", "--size", "60x60");
        assertThat(one.outLines()).hasSize(6);
        assertThat(one.out()).contains("turned by up to 7° (outside: 255), random crop 60x60");
    }

    @Test
    void drawsTheSameSheetForTheSameSeed() throws IOException {
        Path picture = picture();
        Path sheet = folder.resolve("deep/sheet.png");
        Path again = folder.resolve("again.png");
        Path other = folder.resolve("other.png");
        Object[] arguments = {"augment", picture, "--preset", "alexnet", "--size", "56x56", "--count", 6, "--out"};
        Cli.Result drawn = Cli.run(with(arguments, sheet, "--json"));
        assertThat(drawn.err()).isEmpty();
        assertThat(drawn.exitCode()).isZero();
        assertThat(drawn.json().get("preset").asText()).isEqualTo("alexnet");
        assertThat(drawn.json().get("sheet").asText()).isEqualTo(sheet.toString());
        assertThat(Cli.run(with(arguments, again)).exitCode()).isZero();
        assertThat(Cli.run(with(arguments, other, "--seed", 7)).exitCode()).isZero();
        assertThat(Files.mismatch(sheet, again)).isEqualTo(-1);
        assertThat(Files.mismatch(sheet, other)).isNotEqualTo(-1);

        // Stored 96×64, enlarged twice: four columns of 192 + 10, two rows of 128 + 20 + 10.
        BufferedImage image = ImageIO.read(sheet.toFile());
        assertThat(List.of(image.getWidth(), image.getHeight())).containsExactly(10 + 4 * 202, 10 + 2 * 158);
        // The second cell is the centre: 56 of 96 columns, beginning at the 20th, in the stored picture's first row but
        // four.
        assertThat(image.getRGB(10 + 202, 10)).isEqualTo(image.getRGB(10 + 2 * 20, 10 + 2 * 4));
    }

    private static Object[] with(Object[] arguments, Object... more) {
        Object[] all = Arrays.copyOf(arguments, arguments.length + more.length);
        System.arraycopy(more, 0, all, arguments.length, more.length);
        return all;
    }

    @Test
    void wrongCallsSayWhatIsMissing() throws IOException {
        Cli.Result missing = Cli.run("augment", picture());
        assertThat(missing.exitCode()).isEqualTo(2);
        assertThat(missing.err()).contains("--preset says what to do with");
        assertThat(Cli.run("augment", picture(), "--preset", "alexnet", "--count", 0)
                        .err())
                .contains("--count must lie in [1, 1000]: 0");
        Cli.Result unknown = Cli.run("augment", "--preset", "alexnot");
        assertThat(unknown.exitCode()).isEqualTo(2);
        assertThat(unknown.err()).contains("'alexnot' must be one of none, flip");
    }
}
