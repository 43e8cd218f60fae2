package tenon.apps.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;

class SynthCommandTest {
    @TempDir
    private Path folder;

    @Test
    void drawsFoldersOfPictures() {
        Path out = folder.resolve("pictures");
        Cli.Result result = Cli.run(
                "synth",
                "folders",
                "--classes",
                2,
                "--per-class",
                3,
                "--size",
                "50x37",
                "--quality",
                80,
                "--seed",
                5,
                "--threads",
                2,
                "--out",
                out,
                "--json");
        assertThat(result.err()).isEmpty();
        assertThat(result.exitCode()).isZero();
        assertThat(result.outLines().getFirst()).startsWith("6/6 [====");
        assertThat(result.outLines().get(1)).isEqualTo("6 pictures in " + out);
        assertThat(result.json().get("layout").asText()).isEqualTo("folders");
        assertThat(result.json().get("pictures").asInt()).isEqualTo(6);
        Image image = ImageCodec.read(out.resolve("amber_striped_square/amber_striped_square_00002.jpg"));
        assertThat(new int[] {image.width(), image.height()}).containsExactly(50, 37);
    }

    @Test
    void whatALayoutPrescribesCannotBeGiven() {
        Path out = folder.resolve("none");
        assertThat(Cli.run("synth", "cifar", "--classes", 3, "--out", out)
                        .errLines()
                        .getFirst())
                .isEqualTo("tenon synth: --classes cannot be given for cifar10, which has 10 classes");
        assertThat(Cli.run("synth", "mnist", "--size", "9x9", "--out", out)
                        .errLines()
                        .getFirst())
                .isEqualTo("tenon synth: --size and --mixed-sizes cannot be given for mnist, which has 28x28 pixels");
        assertThat(Cli.run("synth", "fer2013", "--quality", 9, "--out", out).exitCode())
                .isEqualTo(2);
        assertThat(Cli.run("synth", "list", "--val-per-class", 9, "--out", out).exitCode())
                .isEqualTo(2);
        assertThat(Cli.run("synth", "folders", "--size", "0x9", "--out", out).err())
                .contains("is not WIDTHxHEIGHT");
        assertThat(Cli.run("synth", "cats", "--out", out).err()).contains("must be one of folders, list, imagenet");
        assertThat(out).doesNotExist();
    }
}
