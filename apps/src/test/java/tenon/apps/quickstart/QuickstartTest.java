package tenon.apps.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import tenon.apps.Cli;
import tenon.apps.TestData;
import tenon.apps.cli.ComputeOptions;
import tenon.apps.cli.Console;
import tenon.apps.training.NetworkSpec;

/** The whole way from IDX files to the report, on small made-up pictures. */
class QuickstartTest {
    @TempDir
    private static Path folder;

    private static Path data;

    @BeforeAll
    static void writeData() throws IOException {
        data = folder.resolve("idx");
        TestData.idx(
                data.resolve("train-images-idx3-ubyte.gz"),
                data.resolve("train-labels-idx1-ubyte.gz"),
                720,
                28,
                28,
                10,
                1);
        TestData.idx(
                data.resolve("t10k-images-idx3-ubyte.gz"),
                data.resolve("t10k-labels-idx1-ubyte.gz"),
                100,
                28,
                28,
                10,
                2);
    }

    @Test
    void trainsEvaluatesAndWritesEverything() throws IOException {
        Path output = folder.resolve("out");
        StringWriter text = new StringWriter();
        Map<String, Object> result = run(output, 600, 2, text);

        assertThat(result.keySet())
                .containsExactly(
                        "dataset",
                        "train_images",
                        "test_images",
                        "epochs",
                        "test_top1",
                        "train_images_per_second",
                        "seconds",
                        "loader_wait_share",
                        "peak_rss_mb",
                        "checkpoint",
                        "plot");
        assertThat(result)
                .containsEntry("train_images", 600)
                .containsEntry("test_images", 100)
                .containsEntry("epochs", 2);
        assertThat((double) result.get("test_top1")).isGreaterThan(0.5);
        assertThat(text.toString())
                .contains("Training minivgg on 550 pictures, 50 held out, 2 epochs")
                .contains("Epoch 2/2")
                .contains("544/544 [==============================]")
                .contains("Ankle boot")
                .contains("avg / total");
        assertThat(Path.of((String) result.get("checkpoint")).resolve("model.safetensors"))
                .isRegularFile();
        assertThat(Files.readAllLines(output.resolve("history.csv"))).hasSize(3);
        assertThat(output.resolve("history.json")).isRegularFile();
        BufferedImage plot = ImageIO.read(output.resolve("plot.png").toFile());
        assertThat(plot.getWidth()).isEqualTo(800);
        assertThat(ImageIO.read(output.resolve("predictions.png").toFile()).getWidth())
                .isEqualTo(700);

        StringWriter again = new StringWriter();
        Map<String, Object> second = run(output, 600, 2, again);
        assertThat(again.toString()).contains("(built before)");
        assertThat(second.get("test_top1")).isEqualTo(result.get("test_top1"));
    }

    @Test
    void folderWithoutTheDataIsOneClearMessage() throws IOException {
        Path empty = Files.createDirectory(folder.resolve("empty"));
        Cli.Result result = Cli.run("quickstart", "--data", empty, "--output", folder.resolve("none"), "--json");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.err())
                .startsWith("tenon quickstart: Fashion-MNIST: the data set was not found. Tried:")
                .contains("there is no file " + empty)
                .contains("apt-get install dataset-fashion-mnist")
                .doesNotContain("Exception");
        assertThat(result.json().get("command").asText()).isEqualTo("quickstart");
        assertThat(result.json().has("error")).isTrue();
    }

    @Test
    void whatThisVersionCannotDoIsSaidBeforeAnyWork() {
        Cli.Result tpu = Cli.run("quickstart", "--device", "tpu");
        assertThat(tpu.exitCode()).isEqualTo(2);
        assertThat(tpu.errLines().getFirst())
                .isEqualTo("tenon quickstart: --device must be cpu, cuda, cuda:N or reference: tpu");
        Cli.Result noSuchGpu = Cli.run("quickstart", "--device", "cuda:97");
        assertThat(noSuchGpu.exitCode()).isEqualTo(1);
        assertThat(noSuchGpu.errLines().getFirst()).startsWith("tenon quickstart: cuda");
        assertThat(noSuchGpu.out()).isEmpty();
        Cli.Result fp8 = Cli.run("quickstart", "--precision", "fp8");
        assertThat(fp8.exitCode()).isEqualTo(2);
        assertThat(fp8.errLines().getFirst())
                .isEqualTo("tenon quickstart: Invalid value for option '--precision': 'fp8' must be one of fp32, bf16");
        assertThat(Cli.run("quickstart", "--limit", 5).errLines().getFirst())
                .isEqualTo("tenon quickstart: --limit must be at least 100: 5");
    }

    private static Map<String, Object> run(Path output, int limit, int epochs, StringWriter text) throws IOException {
        PrintWriter writer = new PrintWriter(text, true);
        ComputeOptions compute = CommandLine.populateCommand(new ComputeOptions());
        QuickstartRecipe recipe = QuickstartRecipe.DEFAULT.with(NetworkSpec.Kind.MINIVGG, epochs, 32);
        return new Quickstart(recipe, limit, output, compute, new Console(writer, writer, false)).run(data);
    }
}
