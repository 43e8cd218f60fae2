package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.apps.Cli;
import tenon.apps.TenonProcess;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.record.Records;
import tenon.optim.checkpoint.CheckpointStore;

/**
 * ImageNet's layout, drawn, goes through the same commands as the real one, with the course's five networks and the settings of their best experiments, narrow
 * and on small pictures: build, train, stop, go back at a lower rate, plot, evaluate, predict.
 *
 * <p>AlexNet, the quickest, is trained in processes of its own, of which one is stopped by Ctrl-C and one is killed; the others stop by {@code --until}, and
 * all else happens in this JVM.
 */
class ImageNetEndToEndTest {
    private static final int CLASSES = 4;
    private static final int TEST_IMAGES = 80;
    private static final int STOP = 6;
    private static final int BACK = 5;
    private static final int EPOCHS = 9;

    /** What is trained; at these widths and sides an epoch takes a second at most. */
    private enum Network {
        ALEXNET(3, 0.25, 67, 16, 0.002),
        VGG16(1, 0.25, 48, 16, 0.002),
        GOOGLENET(3, 0.25, 48, 16, 0.001),
        RESNET50(3, 0.25, 48, 16, 0.05),
        /** With Adam and small batches: without batch norm, SGD does not get going in so few updates, and larger batches need luck in how sums are rounded. */
        SQUEEZENET(4, 0.5, 48, 8, 0.0005, "--global-average", "--optimizer", "adam");

        private final int experiment;
        private final double width;
        private final int side;
        private final int batch;
        private final double rate;
        private final List<String> options;

        Network(int experiment, double width, int side, int batch, double rate, String... options) {
            this.experiment = experiment;
            this.width = width;
            this.side = side;
            this.batch = batch;
            this.rate = rate;
            this.options = List.of(options);
        }

        String id() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** Records that leave room for crops. */
        Path records() {
            return this == ALEXNET ? large : small;
        }

        Object[] train(Path run) {
            List<Object> arguments = new ArrayList<>(List.of(
                    "train",
                    id(),
                    "--experiment",
                    experiment,
                    "--width-multiplier",
                    width,
                    "--size",
                    side + "x" + side + "x3",
                    "--data",
                    records().resolve("rec/train.trec"),
                    "--val",
                    records().resolve("rec/val.trec"),
                    "--epochs",
                    EPOCHS));
            arguments.addAll(List.of(
                    "--until",
                    STOP,
                    "--batch",
                    batch,
                    "--accumulate",
                    1,
                    "--lr",
                    rate,
                    "--log-every",
                    4,
                    "--output",
                    run));
            arguments.addAll(options);
            return arguments.toArray();
        }
    }

    @TempDir
    private static Path folder;

    private static Path base;
    private static Path large;
    private static Path small;

    @BeforeAll
    static void drawAndBuild() {
        base = folder.resolve("ILSVRC2015");
        succeed(
                "synth",
                "imagenet",
                "--classes",
                CLASSES,
                "--per-class",
                100,
                "--val-per-class",
                16,
                "--size",
                "100x80",
                "--out",
                base);
        large = build(77);
        small = build(56);
    }

    private static Path build(int shorterSide) {
        Path out = folder.resolve("records-" + shorterSide);
        Cli.Result built = succeed(
                "build",
                "imagenet",
                base,
                "--test-images",
                TEST_IMAGES,
                "--resize",
                shorterSide,
                "--out",
                out,
                "--json");
        assertThat(built.json().get("skipped").asInt()).isZero();
        return out;
    }

    private static Cli.Result succeed(Object... arguments) {
        Cli.Result result = Cli.run(arguments);
        assertThat(result.err()).isEmpty();
        assertThat(result.exitCode()).isZero();
        return result;
    }

    @Test
    void listsRecordsAndMeansAreOfTheSplits() throws IOException {
        // 400 training pictures less 80 for testing; 64 for validation less the 3.5 % on the blacklist.
        int[] counts = {320, 62, TEST_IMAGES};
        List<String> splits = List.of("train", "val", "test");
        for (int i = 0; i < counts.length; i++) {
            String split = splits.get(i);
            assertThat(Files.readAllLines(large.resolve("lists").resolve(split + ".lst")))
                    .hasSize(counts[i]);
            try (Records records = Records.open(large.resolve("rec").resolve(split + ".trec"))) {
                assertThat(records.sampleCount()).isEqualTo(counts[i]);
                Image image = ImageCodec.decode(records.read(0).image(), split);
                assertThat(Math.min(image.width(), image.height())).isEqualTo(77);
            }
        }
        double[] sums = new double[3];
        for (String[] line : list("train")) {
            Image image = ImageCodec.read(Path.of(line[2]));
            int pixels = image.width() * image.height();
            for (int i = 0; i < pixels * 3; i++) {
                sums[i % 3] += (image.pixels()[i] & 0xFF) / (double) pixels / counts[0];
            }
        }
        JsonNode means = json(large.resolve("imagenet_mean.json"));
        for (int c = 0; c < 3; c++) {
            assertThat(means.get(List.of("R", "G", "B").get(c)).asDouble()).isCloseTo(sums[c], within(1e-9));
        }
    }

    @ParameterizedTest
    @EnumSource
    @EnabledOnOs(OS.LINUX)
    void trainsStopsGoesBackAndKnowsTheTestPictures(Network network) throws Exception {
        Path run = folder.resolve(network.id());
        if (network == Network.ALEXNET) {
            interruptKillAndResume(network, run);
        } else {
            succeed(network.train(run));
        }
        List<String> first = history(run, "history");
        assertThat(first).hasSize(1 + STOP);

        Cli.Result back =
                succeed("resume", run, "--from-epoch", BACK, "--lr", network.rate / 4, "--log-every", 0, "--json");
        assertThat(back.out()).contains("Branch 2 goes on from checkpoints/checkpoint-" + BACK + "-");
        assertThat(back.outLines())
                .contains("Epoch " + (BACK + 1) + "/" + EPOCHS)
                .doesNotContain("Epoch " + BACK + "/" + EPOCHS);
        List<String> whole = history(run, "history");
        assertThat(whole).hasSize(1 + EPOCHS);
        assertThat(whole.subList(0, 1 + BACK)).isEqualTo(first.subList(0, 1 + BACK));
        assertThat(history(run, "history-1")).isEqualTo(first);
        assertThat(column(whole, BACK, "rate")).isEqualTo(network.rate);
        assertThat(column(whole, BACK + 1, "rate")).isEqualTo(network.rate / 4);
        assertThat(column(whole, EPOCHS, "loss")).isLessThan(0.8 * column(whole, 1, "loss"));

        Path test = network.records().resolve("rec/test.trec");
        JsonNode evaluated = succeed("evaluate", run, "--data", test, "--crops", "10,1", "--json")
                .json();
        assertThat(evaluated.get("samples").asInt()).isEqualTo(TEST_IMAGES);
        // A quarter would be chance; its deviation over 80 pictures is a twentieth.
        double rank1 = evaluated.get("rank1").asDouble();
        assertThat(rank1).isGreaterThan(0.45);
        assertThat(evaluated.at("/crops/0/crops").asInt()).isEqualTo(10);
        assertThat(evaluated.at("/crops/0/rank1").asDouble()).isGreaterThan(0.45);

        Path svg = folder.resolve(network.id() + ".svg");
        succeed("plot", run, "--output", svg);
        // Training and validation, pale what was given up, and grey the published rank-1.
        assertThat(Files.readString(svg))
                .contains("stroke:rgb(31,119,180)", "stroke:rgb(180,209,230)", "stroke:rgb(64,64,64)");
        JsonNode plotted = succeed("plot", run, "--json").json();
        assertThat(plotted.get("epochs").asInt()).isEqualTo(EPOCHS);
        assertThat(ImageIO.read(Path.of(plotted.get("plot").asText()).toFile()).getWidth())
                .isEqualTo(2 * 720);

        predict(run, rank1);
    }

    /** The files that the test list names, from the drawn archive itself. */
    private static void predict(Path run, double rank1) throws IOException {
        List<Object> arguments = new ArrayList<>(List.of("predict", run, "--json", "--no-pictures"));
        List<String> truth = new ArrayList<>();
        List<String> names = Files.readAllLines(base.resolve("devkit/data/map_clsloc.txt"));
        for (String[] line : list("test")) {
            truth.add(names.get(Integer.parseInt(line[1])).split(" ")[2]);
            arguments.add(line[2]);
        }
        Cli.Result predicted = succeed(arguments.toArray());
        int right = 0;
        for (int i = 0; i < TEST_IMAGES; i++) {
            JsonNode line = new ObjectMapper().readTree(predicted.outLines().get(i));
            right += line.get("label").asText().equals(truth.get(i)) ? 1 : 0;
        }
        // Scaled anew, and not stored as JPEG in between: nearly what evaluate saw.
        assertThat((double) right / TEST_IMAGES).isCloseTo(rank1, within(0.15));
    }

    /** Ctrl-C, then a kill in the middle of an epoch: afterwards the run is bit for bit one that nothing happened to. */
    private static void interruptKillAndResume(Network network, Path run) throws Exception {
        Process interrupted = start(network, "interrupted", network.train(run));
        String log = end(interrupted, network, "interrupted", "Epoch 2/", "-INT");
        assertThat(interrupted.exitValue()).isEqualTo(130);
        assertThat(log)
                .contains("Saved. To go on: ./tenon resume " + run, "interrupted after 1 of ")
                .doesNotContain("Epoch " + STOP + "/");

        Process killed = start(network, "killed", "resume", run, "--until", STOP, "--log-every", 4);
        log = end(killed, network, "killed", "Epoch 4/", "-KILL");
        assertThat(killed.exitValue()).isEqualTo(128 + 9);
        assertThat(log).doesNotContain("Saved.", "Epoch 1/");
        assertEveryFileIsWhole(run);

        Cli.Result resumed = succeed("resume", run, "--until", STOP, "--log-every", 0);
        assertThat(resumed.outLines()).contains("Epoch " + STOP + "/" + STOP).doesNotContain("Epoch 2/" + STOP);
        assertThat(hidden(run)).isEmpty();

        Path undisturbed = folder.resolve(network.id() + "-undisturbed");
        succeed(network.train(undisturbed));
        assertThat(history(run, "history")).isEqualTo(history(undisturbed, "history"));
        for (String file : List.of("model.safetensors", "optimizer.safetensors")) {
            assertThat(Files.mismatch(
                            newest(run).resolve(file), newest(undisturbed).resolve(file)))
                    .as(file)
                    .isEqualTo(-1);
        }
    }

    private static void assertEveryFileIsWhole(Path run) throws IOException {
        assertThat(json(run.resolve("run.json")).get("finished").asBoolean()).isFalse();
        int epochs = json(run.resolve("history.json")).get("epoch").size();
        assertThat(epochs).isBetween(3, STOP - 1);
        assertThat(history(run, "history")).hasSizeBetween(epochs, epochs + 1);
        try (Stream<Path> entries = Files.list(run.resolve("checkpoints"))) {
            List<Path> checkpoints = entries.filter(
                            path -> path.getFileName().toString().startsWith("checkpoint-"))
                    .toList();
            assertThat(checkpoints).hasSizeGreaterThanOrEqualTo(3);
            assertThat(checkpoints)
                    .allSatisfy(checkpoint ->
                            assertThat(CheckpointStore.problem(checkpoint)).isEmpty());
        }
    }

    /** What a crash may leave beside the files that count. */
    private static List<Path> hidden(Path run) throws IOException {
        try (Stream<Path> files = Files.walk(run)) {
            return files.filter(path -> path.getFileName().toString().startsWith("."))
                    .toList();
        }
    }

    private static Process start(Network network, String name, Object... arguments) throws IOException {
        return TenonProcess.start(log(network, name), arguments);
    }

    /** Sends the signal within the epoch that begins so, once updates were made in it, and returns what the process wrote. */
    private static String end(Process process, Network network, String name, String epoch, String signal)
            throws Exception {
        Path log = log(network, name);
        try {
            while (process.isAlive()) {
                String written = Files.readString(log);
                int begin = written.indexOf(epoch);
                if (begin >= 0 && written.indexOf(" - rate ", begin) >= 0) {
                    break;
                }
                Thread.sleep(10);
            }
            TenonProcess.end(process, signal);
        } finally {
            process.destroyForcibly();
        }
        return Files.readString(log);
    }

    private static Path log(Network network, String name) {
        return folder.resolve(network.id() + "-" + name + ".log");
    }

    /** Index, label and path of each picture. */
    private static List<String[]> list(String split) throws IOException {
        return Files.readAllLines(large.resolve("lists").resolve(split + ".lst")).stream()
                .map(line -> line.split("\t"))
                .toList();
    }

    /** Lines of the table without the time that each epoch took. */
    private static List<String> history(Path run, String name) throws IOException {
        return Files.readAllLines(run.resolve(name + ".csv")).stream()
                .map(line -> line.replaceFirst(",[^,]*$", ""))
                .toList();
    }

    private static double column(List<String> history, int epoch, String name) {
        int index = List.of(history.getFirst().split(",")).indexOf(name);
        return Double.parseDouble(history.get(epoch).split(",")[index]);
    }

    private static Path newest(Path run) throws IOException {
        Path checkpoints = run.resolve("checkpoints");
        return checkpoints.resolve(
                Files.readString(checkpoints.resolve("latest")).strip());
    }

    private static JsonNode json(Path file) throws IOException {
        return new ObjectMapper().readTree(file.toFile());
    }
}
