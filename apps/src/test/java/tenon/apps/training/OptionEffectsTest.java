package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.apps.Cli;
import tenon.apps.TestData;
import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.data.Batch;
import tenon.engine.data.BatchIterator;
import tenon.io.augment.RandomErasing;
import tenon.io.data.Normalization;
import tenon.io.data.RecordBatchSource;
import tenon.optim.checkpoint.SafetensorsFile;
import tenon.optim.train.Metric;

/**
 * What options of training do to weights and rates, on 36 pictures of 4×4 pixels, 20 of the first class and 8 of each other one. A step on all of them from
 * trained weights w (no bias is 0) without momentum moves them by −rate·g, which says what g is.
 */
class OptionEffectsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int PICTURES = 36;
    private static final double RATE = 0.25;

    @TempDir
    private static Path folder;

    private static Path pictures;
    private static Path records;
    private static Path source;
    private static Map<String, float[]> start;
    /** After one plain step. */
    private static Map<String, float[]> plain;

    @BeforeAll
    static void draw() throws IOException {
        pictures = folder.resolve("pictures");
        TestData.pictures(pictures, List.of("a", "b", "c"), 8, 20, 16, 5);
        TestData.pictures(pictures, List.of("a"), 20, 20, 16, 6);
        done(Cli.run("build", "folder", pictures, "--output", folder, "--size", "4x4x3"));
        records = folder.resolve("train.trec");
        source = folder.resolve("source");
        done(train(source, "--batch", 9, "--epochs", 1, "--lr", 0.05));
        start = weights(source);
        plain = weights(step("plain"));
    }

    private static Cli.Result train(Path output, Object... more) {
        List<Object> arguments = new ArrayList<>(
                List.of("train", "mnist", "--data", records, "--val", records, "--threads", 1, "--output", output));
        arguments.addAll(List.of(more));
        return Cli.run(arguments.toArray());
    }

    /** One step on all pictures unless options say otherwise; without momentum. */
    private static Path step(String name, Object... more) {
        return fromStart(name, Stream.concat(Stream.of("--momentum", 0, "--epochs", 1), Stream.of(more)));
    }

    private static Path stepOf(String optimizer, Object... more) {
        return fromStart(optimizer, Stream.concat(Stream.of("--optimizer", optimizer, "--epochs", 1), Stream.of(more)));
    }

    private static Path fromStart(String name, Stream<Object> more) {
        Path run = folder.resolve("step-" + name);
        List<Object> arguments = new ArrayList<>(List.of("--weights", source, "--batch", PICTURES, "--lr", RATE));
        arguments.addAll(more.toList());
        done(train(run, arguments.toArray()));
        return run;
    }

    private static Cli.Result done(Cli.Result result) {
        assertThat(result.exitCode()).as(result.err() + result.out()).isZero();
        assertThat(result.err()).isEmpty();
        return result;
    }

    private static Map<String, float[]> weights(Path run) throws IOException {
        return tensors(run, "model.safetensors");
    }

    /** Of the newest checkpoint. */
    private static Map<String, float[]> tensors(Path run, String name) throws IOException {
        Path checkpoints = run.resolve("checkpoints");
        String newest = Files.readString(checkpoints.resolve("latest")).strip();
        try (SafetensorsFile file =
                SafetensorsFile.open(checkpoints.resolve(newest).resolve(name))) {
            Map<String, float[]> tensors = new TreeMap<>();
            for (String tensor : file.entries().keySet()) {
                tensors.put(tensor, file.bytes(tensor).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED));
            }
            return tensors;
        }
    }

    private static JsonNode config(Path run) throws IOException {
        return JSON.readTree(run.resolve("run.json").toFile()).get("config");
    }

    private static void assertConfigured(Path run, String pointer, double value) throws IOException {
        assertThat(config(run).at(pointer).doubleValue()).as(pointer).isEqualTo(value);
    }

    /** Of a step from {@link #start} to {@link #plain}. */
    private static double gradient(String tensor, int i) {
        return ((double) start.get(tensor)[i] - plain.get(tensor)[i]) / RATE;
    }

    /** A value of each parameter by its name and its index. */
    @FunctionalInterface
    private interface Expected {
        double at(String tensor, int i);
    }

    private static void assertMoved(Path run, Expected move) throws IOException {
        assertValues(weights(run), (tensor, i) -> start.get(tensor)[i] + move.at(tensor, i), 2e-6);
    }

    private static void assertValues(Map<String, float[]> actual, Expected expected, double tolerance) {
        assertThat(actual).isNotEmpty();
        actual.forEach((tensor, values) -> {
            for (int i = 0; i < values.length; i++) {
                double wanted = expected.at(tensor, i);
                if (!(Math.abs(values[i] - wanted) <= tolerance)) {
                    assertThat((double) values[i]).as(tensor + "[" + i + "]").isCloseTo(wanted, within(tolerance));
                }
            }
        });
    }

    private static double[] flat(Map<String, float[]> tensors) {
        return tensors.values().stream()
                .flatMapToDouble(values -> IntStream.range(0, values.length).mapToDouble(i -> values[i]))
                .toArray();
    }

    @Test
    void weightDecayPullsWeightsAndOnRequestBiases() throws IOException {
        Path weightsOnly = step("decay", "--weight-decay", 0.3);
        assertMoved(
                weightsOnly,
                (tensor, i) ->
                        -RATE * (gradient(tensor, i) + (tensor.endsWith(".bias") ? 0 : 0.3 * start.get(tensor)[i])));
        assertConfigured(weightsOnly, "/optimizer/weightDecay", 0.3);
        Path all = step("decay-all", "--weight-decay", 0.3, "--decay-all");
        assertMoved(all, (tensor, i) -> -RATE * (gradient(tensor, i) + 0.3 * start.get(tensor)[i]));
        assertThat(config(all).at("/optimizer/decaysAll").booleanValue()).isTrue();
        assertThat(start.get("fc1.bias")).isNotEqualTo(new float[start.get("fc1.bias").length]);
    }

    @Test
    void clippingLimitsTheJointNorm() throws IOException {
        double norm = Math.sqrt(start.keySet().stream()
                .flatMapToDouble(
                        tensor -> IntStream.range(0, start.get(tensor).length).mapToDouble(i -> gradient(tensor, i)))
                .map(g -> g * g)
                .sum());
        assertThat(norm).isGreaterThan(0.01);
        Path clipped = step("clipped", "--clip-norm", norm / 4);
        assertMoved(clipped, (tensor, i) -> -RATE * gradient(tensor, i) / 4);
        assertConfigured(clipped, "/optimizer/clipNorm", norm / 4);
    }

    /** The step after that on the same pictures adds momentum times the last one. */
    @Test
    void momentumAddsTheLastStep() throws IOException {
        Map<String, float[]> without = weights(fromStart("two", Stream.of("--epochs", 2, "--momentum", 0)));
        Path run = fromStart("momentum", Stream.of("--epochs", 2, "--momentum", 0.6));
        assertValues(weights(run), (tensor, i) -> without.get(tensor)[i] - 0.6 * RATE * gradient(tensor, i), 2e-6);
        assertConfigured(run, "/optimizer/momentum", 0.6);
        Path ahead = fromStart("nesterov", Stream.of("--epochs", 1, "--momentum", 0.6, "--nesterov"));
        assertMoved(ahead, (tensor, i) -> -1.6 * RATE * gradient(tensor, i));
        assertThat(config(ahead).at("/optimizer/nesterov").booleanValue()).isTrue();
    }

    @Test
    void ratesOfLayersAreScaledByTheLongestName() throws IOException {
        Path run = step("scaled", "--lr-scale", "fc2=0.5,fc2.bias=3,fc1.bias=0");
        assertMoved(
                run,
                (tensor, i) -> -RATE
                        * gradient(tensor, i)
                        * switch (tensor) {
                            case "fc2.weight" -> 0.5;
                            case "fc2.bias" -> 3;
                            case "fc1.bias" -> 0;
                            default -> 1;
                        });
        assertConfigured(run, "/start/rateScales/fc2.bias", 3);
        Cli.Result unknown = train(folder.resolve("unknown"), "--lr-scale", "fc1=2,fc=3");
        assertThat(unknown.exitCode()).isEqualTo(2);
        assertThat(unknown.err())
                .contains("--lr-scale: the network has no layer 'fc': its layers are flatten, fc1, relu, fc2");
        assertThat(train(folder.resolve("negative"), "--lr-scale", "fc1=-1").err())
                .contains("--lr-scale fc1 must be at least 0: -1.0");
    }

    /** The gradient of a class's bias is the mean of probability minus target, and the target is (1 − s)·[is its class] + s/3. */
    @Test
    void smoothingMovesTheTargets() throws IOException {
        Path run = step("smoothed", "--label-smoothing", 0.2);
        double[] shares = {20.0 / PICTURES, 8.0 / PICTURES, 8.0 / PICTURES};
        float[] biases = weights(run).get("fc2.bias");
        for (int c = 0; c < 3; c++) {
            assertThat(biases[c] - plain.get("fc2.bias")[c])
                    .isCloseTo((float) (-RATE * 0.2 * (shares[c] - 1.0 / 3)), within(1e-6f));
        }
        assertConfigured(run, "/labelSmoothing", 0.2);
    }

    /** m = (1 − β₁)·g and v = (1 − β₂)·g² after a step, and both estimates are corrected to g and g². */
    @Test
    void adamsConstants() throws IOException {
        Path run = stepOf("adam", "--beta1", 0.7, "--beta2", 0.96, "--epsilon", 0.02);
        assertMoved(run, (tensor, i) -> -RATE * gradient(tensor, i) / (Math.abs(gradient(tensor, i)) + 0.02));
        assertValues(
                tensors(run, "optimizer.safetensors"),
                (name, i) -> {
                    double g = gradient(name.substring(0, name.lastIndexOf('.')), i);
                    return name.endsWith(".firstMoment") ? 0.3 * g : 0.04 * g * g;
                },
                1e-6);
        assertConfigured(run, "/optimizer/beta1", 0.7);
        assertConfigured(run, "/optimizer/beta2", 0.96);
        assertConfigured(run, "/optimizer/epsilon", 0.02);
    }

    /** Decoupled: the rate's share of the weights themselves, whatever the gradient's scale. */
    @Test
    void adamwDecaysApart() throws IOException {
        Path run = stepOf("adamw", "--weight-decay", 0.4, "--epsilon", 0.02);
        assertMoved(run, (tensor, i) -> {
            double g = gradient(tensor, i);
            return -RATE * (g / (Math.abs(g) + 0.02) + (tensor.endsWith(".bias") ? 0 : 0.4 * start.get(tensor)[i]));
        });
    }

    /** The mean square is (1 − β₂)·g² after a step; it is not corrected. */
    @Test
    void rmspropsConstants() throws IOException {
        Path run = stepOf("rmsprop", "--beta2", 0.75, "--epsilon", 0.02);
        assertMoved(run, (tensor, i) -> -RATE * gradient(tensor, i) / (0.5 * Math.abs(gradient(tensor, i)) + 0.02));
        assertConfigured(run, "/optimizer/beta2", 0.75);
    }

    @Test
    void mixupMixesPictures() throws IOException {
        Path run = step("mixed", "--mixup", 0.4);
        assertThat(flat(weights(run))).isNotEqualTo(flat(plain));
        assertConfigured(run, "/step/mixup", 0.4);
    }

    /** A step on the pictures as the first epoch erases them, drawn and built anew, is the same; judged by are whole pictures either way. */
    @Test
    void erasingIsAStepOnErasedPictures() throws IOException {
        Path run = step("erased", "--random-erasing", 0.75);
        assertThat(flat(weights(run))).isNotEqualTo(flat(plain));
        assertConfigured(run, "/step/erasing", 0.75);
        Path drawn = folder.resolve("drawn-erased");
        drawErased(drawn.resolve("pictures"), 0.75);
        done(Cli.run("build", "folder", drawn.resolve("pictures"), "--output", drawn, "--size", "4x4x3"));
        Path onDrawn = drawn.resolve("run");
        List<Object> arguments = new ArrayList<>(
                List.of("train", "mnist", "--data", drawn.resolve("train.trec"), "--val", records, "--threads", 1));
        arguments.addAll(List.of("--weights", source, "--batch", PICTURES, "--lr", RATE, "--momentum", 0));
        arguments.addAll(List.of("--epochs", 1, "--output", onDrawn));
        done(Cli.run(arguments.toArray()));
        Map<String, float[]> expected = weights(onDrawn);
        assertValues(weights(run), (tensor, i) -> expected.get(tensor)[i], 2e-6);
        assertThat(validationLoss(run)).isCloseTo(validationLoss(onDrawn), within(1e-5));
    }

    private static double validationLoss(Path run) throws IOException {
        return new RunFolder(run).history(Branch.FIRST, true).values(Metric.VALIDATION_LOSS)[0];
    }

    private static void drawErased(Path to, double probability) throws IOException {
        try (Backend backend = ReferenceBackend.open();
                RecordBatchSource source = RecordBatchSource.of(records)
                        .backend(backend)
                        .batchSize(PICTURES)
                        .seed(42)
                        .normalize(Normalization.NONE)
                        .augment(new RandomErasing(probability))
                        .open();
                BatchIterator batches = source.iterate(0, 0)) {
            Batch batch = batches.next();
            float[] values = batch.input().toFloatArray();
            int[] labels = batch.target().toIntArray();
            for (int p = 0; p < PICTURES; p++) {
                BufferedImage picture = new BufferedImage(4, 4, BufferedImage.TYPE_INT_RGB);
                for (int i = 0; i < 16; i++) {
                    int at = (p * 16 + i) * 3;
                    int rgb = (int) values[at] << 16 | (int) values[at + 1] << 8 | (int) values[at + 2];
                    picture.setRGB(i % 4, i / 4, rgb);
                }
                Path classFolder = Files.createDirectories(
                        to.resolve(source.schema().classNames().get(labels[p])));
                ImageIO.write(picture, "png", classFolder.resolve(p + ".png").toFile());
            }
        }
    }

    @Test
    void theSeedDecidesInitialWeights() throws IOException {
        List<double[]> trained = new ArrayList<>();
        for (int seed : new int[] {7, 8}) {
            Path run = folder.resolve("seed-" + trained.size());
            done(train(run, "--epochs", 1, "--seed", seed, "--lr", 1e-9));
            assertConfigured(run, "/compute/seed", seed);
            trained.add(flat(weights(run)));
        }
        assertThat(trained.get(1)).isNotEqualTo(trained.get(0));
    }

    /** Ten steps, two an epoch. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "constant | | 0.8 0.8 0.8 0.8 0.8 0.8 0.8 0.8 0.8 0.8",
                "constant | --warm-up 2 | 0.08 0.26 0.44 0.62 0.8 0.8 0.8 0.8 0.8 0.8",
                "step | | 0.8 0.8 0.8 0.8 0.08 0.08 0.08 0.08 0.008 0.008",
                "cosine | --lr-end 0.2 --warm-up 1 |"
                        + " 0.08 0.44 0.8 0.77716 0.71213 0.61481 0.5 0.38519 0.28787 0.22284",
                "linear | --lr-end 0.3 | 0.8 0.75 0.7 0.65 0.6 0.55 0.5 0.45 0.4 0.35",
                "polynomial | --lr-power 3 --lr-end 0.1 |"
                        + " 0.8 0.6103 0.4584 0.3401 0.2512 0.1875 0.1448 0.1189 0.1056 0.1007",
                "time-decay | | 0.8 0.68966 0.60606 0.54054 0.4878 0.44444 0.40816 0.37736 0.35088 0.32787",
                "one-cycle | | 0.032 0.8 0.76955 0.68285 0.55308 0.40002 0.24695 0.11718 0.030479 0.000032",
                "exponential | --lr-factor 0.5 | 0.8 0.8 0.4 0.4 0.2 0.2 0.1 0.1 0.05 0.05",
                "piecewise | --lr-at 1=0.4,3=0.2 | 0.8 0.8 0.4 0.4 0.4 0.4 0.2 0.2 0.2 0.2",
            })
    void ratesFollowTheSchedule(String schedule, String options, String rates) throws IOException {
        double[] expected =
                Stream.of(rates.split(" ")).mapToDouble(Double::parseDouble).toArray();
        Path run = Files.createTempDirectory(folder, schedule);
        List<Object> arguments = new ArrayList<>(List.of("--schedule", schedule, "--lr", 0.8, "--momentum", 0));
        arguments.addAll(List.of("--batch", PICTURES / 2, "--epochs", 5, "--log-every", 1, "--checkpoint-every", 5));
        List<String> given = options == null ? List.of() : List.of(options.split(" "));
        arguments.addAll(given);
        Cli.Result trained = done(train(run, arguments.toArray()));
        double[] shown = Pattern.compile("  step \\d+ \\(\\d/2\\) - rate (\\S+) - ")
                .matcher(trained.out())
                .results()
                .map(MatchResult::group)
                .mapToDouble(line -> Double.parseDouble(line.replaceFirst(".* rate (\\S+) - ", "$1")))
                .toArray();
        assertRates(shown, expected, 1e-3);
        double[] lastOfEpochs = DoubleStream.iterate(1, i -> i < 10, i -> i + 2)
                .map(i -> expected[(int) i])
                .toArray();
        assertRates(new RunFolder(run).history(Branch.FIRST, true).values(Metric.RATE), lastOfEpochs, 1e-4);
        assertThat(config(run).at("/schedule/kind").asText()).isEqualToIgnoringCase(schedule.replace('-', '_'));
        Map<String, String> saved = Map.of(
                "--warm-up", "warmUpEpochs", "--lr-end", "endRate", "--lr-power", "power", "--lr-factor", "factor");
        for (int i = 0; i < given.size(); i += 2) {
            if (saved.containsKey(given.get(i))) {
                assertConfigured(run, "/schedule/" + saved.get(given.get(i)), Double.parseDouble(given.get(i + 1)));
            }
        }
    }

    private static void assertRates(double[] actual, double[] expected, double share) {
        assertThat(actual).hasSize(expected.length);
        for (int i = 0; i < actual.length; i++) {
            assertThat(actual[i]).as("step " + i).isCloseTo(expected[i], within(share * expected[i]));
        }
    }
}
