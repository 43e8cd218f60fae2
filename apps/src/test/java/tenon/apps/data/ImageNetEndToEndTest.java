package tenon.apps.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.record.Records;

/** ImageNet's layout, drawn, goes through the same commands as the real one: synth, build, train, evaluate. */
class ImageNetEndToEndTest {
    private static final int CLASSES = 10;
    private static final int PER_CLASS = 60;
    private static final int TEST_IMAGES = 100;

    @TempDir
    private Path folder;

    @Test
    void drawnImageNetIsBuiltTrainedAndEvaluated() throws IOException {
        Path base = folder.resolve("ILSVRC2015");
        succeed(
                "synth",
                "imagenet",
                "--classes",
                CLASSES,
                "--per-class",
                PER_CLASS,
                "--val-per-class",
                10,
                "--size",
                "160x120",
                "--mixed-sizes",
                "--out",
                base);
        Path out = folder.resolve("imagenet");
        Cli.Result built = succeed(
                "build", "imagenet", base, "--test-images", TEST_IMAGES, "--resize", 77, "--out", out, "--json");

        // 600 training pictures less 100 for testing; 100 for validation less the 3.5 % on the blacklist.
        JsonNode lists = built.json().get("lists");
        assertThat(List.of(
                        lists.get("train").asInt(),
                        lists.get("val").asInt(),
                        lists.get("test").asInt()))
                .containsExactly(500, 96, 100);
        assertThat(built.json().get("skipped").asInt()).isZero();
        for (String split : List.of("train", "val", "test")) {
            try (Records records = Records.open(out.resolve("rec").resolve(split + ".trec"))) {
                assertThat(records.sampleCount())
                        .isEqualTo(lists.get(split).asInt())
                        .isEqualTo((int) Files.lines(out.resolve("lists").resolve(split + ".lst"))
                                .count());
                Image image = ImageCodec.decode(records.read(0).image(), split);
                assertThat(Math.min(image.width(), image.height())).isEqualTo(77);
            }
        }
        JsonNode means =
                new ObjectMapper().readTree(out.resolve("imagenet_mean.json").toFile());
        List<Double> expected = meansOf(out.resolve("lists/train.lst"));
        assertThat(means.get("R").asDouble()).isCloseTo(expected.get(0), within(1e-9));
        assertThat(means.get("G").asDouble()).isCloseTo(expected.get(1), within(1e-9));
        assertThat(means.get("B").asDouble()).isCloseTo(expected.get(2), within(1e-9));

        Path run = folder.resolve("run");
        Cli.Result trained = succeed(
                "train",
                "--network",
                "alexnet",
                "--width-multiplier",
                0.25,
                "--size",
                "67x67x3",
                "--augment",
                "alexnet",
                "--data",
                out.resolve("rec/train.trec"),
                "--val",
                out.resolve("rec/val.trec"),
                "--epochs",
                30,
                "--batch",
                25,
                "--optimizer",
                "adam",
                "--lr",
                0.001,
                "--checkpoint-every",
                30,
                "--output",
                run,
                "--json");
        // One in ten would be chance; 500 pictures are few.
        assertThat(trained.json().get("val_acc").asDouble()).isGreaterThan(0.25);

        Cli.Result evaluated = succeed("evaluate", run, "--data", out.resolve("rec/test.trec"), "--json");
        assertThat(evaluated.json().get("samples").asInt()).isEqualTo(TEST_IMAGES);
        assertThat(evaluated.json().get("rank1").asDouble()).isGreaterThan(0.18);
        assertThat(evaluated.json().get("rank5").asDouble()).isGreaterThan(0.6);
    }

    private static Cli.Result succeed(Object... arguments) {
        Cli.Result result = Cli.run(arguments);
        assertThat(result.err()).isEmpty();
        assertThat(result.exitCode()).isZero();
        return result;
    }

    /** Every picture of the list at its own size, each counting the same. */
    private static List<Double> meansOf(Path list) throws IOException {
        double[] sums = new double[3];
        List<String> lines = Files.readAllLines(list);
        for (String line : lines) {
            Image image = ImageCodec.read(Path.of(line.split("\t")[2]));
            int pixels = image.width() * image.height();
            for (int i = 0; i < pixels * 3; i++) {
                sums[i % 3] += (image.pixels()[i] & 0xFF) / (double) pixels;
            }
        }
        List<Double> means = new ArrayList<>();
        for (double sum : sums) {
            means.add(sum / lines.size());
        }
        return means;
    }
}
