package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.apps.TenonProcess;
import tenon.apps.TestData;
import tenon.apps.networks.Nonlinearity;
import tenon.io.record.Label;
import tenon.io.record.RecordReader;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;
import tenon.io.record.Records;

/** train, resume, evaluate and predict on small pictures. */
class TrainCommandTest {
    @TempDir
    private static Path folder;

    private static Path pictures;
    private static Path records;

    @BeforeAll
    static void draw() throws IOException {
        pictures = folder.resolve("pictures");
        records = folder.resolve("records");
        TestData.records(pictures, records);
    }

    @Test
    void resumedRunIsBitForBitTheUninterruptedOne() throws IOException {
        Path whole = folder.resolve("whole");
        Path halves = folder.resolve("halves");
        assertThat(train(whole, 4, "--augment", "affine", "--schedule", "constant")
                        .exitCode())
                .isZero();
        assertThat(train(halves, 2, "--augment", "affine", "--schedule", "constant")
                        .exitCode())
                .isZero();
        Cli.Result resumed = Cli.run("resume", halves, "--epochs", 4, "--json");
        assertThat(resumed.err()).isEmpty();
        assertThat(resumed.exitCode()).isZero();
        assertThat(resumed.outLines()).contains("Epoch 3/4", "Epoch 4/4").doesNotContain("Epoch 2/4");
        assertThat(resumed.json().get("epochs").asInt()).isEqualTo(4);

        assertThat(history(halves)).isEqualTo(history(whole));
        assertThat(history(whole)).hasSize(5);
        // Validation sees pictures as evaluate does: unchanged, and without dropout.
        Cli.Result evaluated = Cli.run("evaluate", newest(whole), "--data", records.resolve("val.trec"), "--json");
        assertThat(evaluated.json().get("loss").asDouble())
                .isCloseTo(Double.parseDouble(history(whole).getLast().split(",")[6]), Offset.offset(1e-4));
        for (String file : List.of("model.safetensors", "optimizer.safetensors")) {
            assertThat(Files.mismatch(
                            newest(halves).resolve(file), newest(whole).resolve(file)))
                    .as(file)
                    .isEqualTo(-1);
        }
    }

    /** Pictures are 20×16; for an input of 12×12 they are stored with a shorter side of 14, or as squares of 14. */
    @Test
    void presetsDecideHowPicturesAreStoredChangedAndLookedAt() throws IOException {
        Path cropped = folder.resolve("cropped");
        Cli.Result trained = presetRun("vgg", cropped);
        assertThat(trained.err()).isEmpty();
        assertThat(trained.exitCode()).isZero();
        assertThat(trained.out()).doesNotContain("subtracting ImageNet's");
        try (RecordReader reader = RecordReader.open(cropped.resolve("data/train.trec"))) {
            for (int c = 0; c < 3; c++) {
                assertThat(normalization(cropped).get("means").get(c).asDouble())
                        .isCloseTo(reader.schema().channelMeans().get(c), Offset.offset(1e-3));
            }
            byte[] file = reader.read(0).image();
            BufferedImage stored = ImageIO.read(new ByteArrayInputStream(file));
            assertThat(List.of(stored.getWidth(), stored.getHeight())).containsExactly(17, 14);
        }
        Cli.Result evaluated = Cli.run("evaluate", cropped, "--data", pictures, "--json");
        assertThat(evaluated.err()).isEmpty();
        assertThat(evaluated.json().get("samples").asInt()).isEqualTo(90);
        Cli.Result predicted =
                Cli.run("predict", cropped, pictures.resolve("b/4.png"), "--output", folder.resolve("seen"), "--json");
        assertThat(predicted.exitCode()).isZero();

        Path squares = folder.resolve("squares");
        assertThat(presetRun("dogs-cats", squares).out()).doesNotContain("subtracting ImageNet's");
        try (RecordReader reader = RecordReader.open(squares.resolve("data/train.trec"))) {
            assertThat(reader.schema().height()).isEqualTo(14);
            assertThat(normalization(squares).get("means").get(2).asDouble())
                    .isCloseTo(reader.schema().channelMeans().get(2), Offset.offset(1e-3));
        }
    }

    /** As a program writes them that does not decode what it packs. */
    @Test
    void recordsWithoutMeansAreTrainedWithImageNets() throws IOException {
        Path file = folder.resolve("foreign.trec");
        try (RecordWriter writer =
                RecordWriter.create(file, RecordSchema.encodedClasses("train", List.of("a", "b", "c")))) {
            for (int i = 0; i < 30; i++) {
                String name = "abc".charAt(i % 3) + "/" + i / 3 + ".png";
                writer.add(Files.readAllBytes(pictures.resolve(name)), Label.ofClass(i % 3), name, name);
            }
            writer.commit();
        }
        Path run = folder.resolve("foreign");
        assertThat(presetRun("vgg", run, file).out()).contains("subtracting ImageNet's");
        assertThat(normalization(run).get("means").get(0).asDouble()).isEqualTo(123.68);
    }

    private static Cli.Result presetRun(String preset, Path output) {
        return presetRun(preset, output, pictures);
    }

    private static Cli.Result presetRun(String preset, Path output, Path data) {
        return Cli.run(
                "train",
                "--data",
                data,
                "--size",
                "12x12x3",
                "--augment",
                preset,
                "--epochs",
                1,
                "--batch",
                9,
                "--lr",
                0.001,
                "--output",
                output);
    }

    private static JsonNode normalization(Path run) throws IOException {
        return new ObjectMapper()
                .readTree(run.resolve("run.json").toFile())
                .get("config")
                .get("data")
                .get("normalization");
    }

    @Test
    void trainsOnAFolderThenEvaluatesAndPredicts() throws IOException {
        Path run = folder.resolve("run");
        Cli.Result trained = Cli.run(
                "train",
                "--data",
                pictures,
                "--size",
                "12x12x3",
                "--epochs",
                6,
                "--batch",
                9,
                "--lr",
                0.05,
                "--norm",
                "fast",
                "--normalize",
                "standardize",
                "--output",
                run,
                "--json");
        assertThat(trained.err()).isEmpty();
        assertThat(trained.exitCode()).isZero();
        assertThat(trained.json().get("command").asText()).isEqualTo("train");
        assertThat(trained.json().get("val_acc").asDouble()).isGreaterThan(0.8);
        assertThat(run.resolve("plot.png")).isRegularFile();
        JsonNode saved = new ObjectMapper().readTree(run.resolve("run.json").toFile());
        assertThat(saved.get("finished").asBoolean()).isTrue();
        assertThat(saved.get("manifest").get("seed").asLong()).isEqualTo(42);

        Cli.Result evaluated = Cli.run("evaluate", run, "--data", records.resolve("val.trec"), "--json");
        assertThat(evaluated.err()).isEmpty();
        assertThat(evaluated.json().get("samples").asInt()).isEqualTo(18);
        assertThat(evaluated.json().get("rank1").asDouble()).isGreaterThan(0.8);
        assertThat(evaluated.json().get("rank5").asDouble()).isEqualTo(1);
        assertThat(run.resolve("confusion.png")).isRegularFile();
        assertThat(evaluated.out()).contains("precision    recall").containsPattern("0 a +\\d+ +\\d+ +\\d+");

        Cli.Result fromFolder = Cli.run("evaluate", run, "--data", pictures, "--json");
        assertThat(fromFolder.json().get("samples").asInt()).isEqualTo(90);

        Path output = folder.resolve("predictions");
        Path picture = pictures.resolve("b/4.png");
        Path text = Files.writeString(folder.resolve("text.png"), "no picture");
        Cli.Result predicted = Cli.run("predict", run, picture, "--output", output, "--json");
        assertThat(predicted.exitCode()).isZero();
        assertThat(new ObjectMapper()
                        .readTree(predicted.outLines().getFirst())
                        .get("label")
                        .asText())
                .isEqualTo("b");
        assertThat(ImageIO.read(output.resolve("4.png").toFile()).getWidth()).isGreaterThan(300);

        Cli.Result some = Cli.run("predict", run, picture, text, pictures.resolve("a/4.png"), "--output", output);
        assertThat(some.exitCode()).isEqualTo(1);
        assertThat(some.out()).containsPattern("b/4\\.png: b: \\d+\\.\\d\\d%").contains("a/4.png: a");
        assertThat(some.errLines()).hasSize(2);
        assertThat(some.errLines().getFirst()).startsWith("warning: image " + text);
        assertThat(some.errLines().getLast()).isEqualTo("tenon predict: 1 of 3 pictures could not be read: " + text);
        assertThat(output.resolve("4-2.png")).isRegularFile();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void ctrlCSavesAndResumeFinishes() throws Exception {
        Path run = folder.resolve("interrupted");
        Path log = folder.resolve("interrupted.log");
        Process process = TenonProcess.start(log, arguments(run, 100_000).toArray());
        try {
            while (process.isAlive() && !Files.readString(log).contains("Epoch 2/")) {
                Thread.sleep(50);
            }
            TenonProcess.end(process, "-INT");
        } finally {
            process.destroyForcibly();
        }
        assertThat(Files.readString(log))
                .contains("Saved. To go on: ./tenon resume " + run)
                // A log is no terminal.
                .doesNotContain("\r", "\u001b")
                .containsPattern("tenon train: interrupted after \\d+ of 100,?000 epochs\\s*$");
        assertThat(process.exitValue()).isEqualTo(130);

        Cli.Result refused = train(run, 5);
        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.errLines().getFirst())
                .isEqualTo("tenon train: " + run + " holds a training run already: go on with it (./tenon resume " + run
                        + ") or choose another --output");

        int done = history(run).size() - 1;
        Cli.Result resumed = Cli.run("resume", run, "--epochs", done + 2);
        assertThat(resumed.exitCode()).isZero();
        Path uninterrupted = folder.resolve("uninterrupted");
        assertThat(train(uninterrupted, done + 2).exitCode()).isZero();
        assertThat(history(run)).isEqualTo(history(uninterrupted));
    }

    @Test
    void earlyStoppingEndsTheRun() {
        Cli.Result result = Cli.run(
                "train",
                "mnist",
                "--data",
                records.resolve("train.trec"),
                "--val",
                records.resolve("val.trec"),
                "--optimizer",
                "adam",
                "--lr",
                0.01,
                "--epochs",
                60,
                "--patience",
                3,
                "--output",
                folder.resolve("early"),
                "--json");
        assertThat(result.err()).isEmpty();
        assertThat(result.out()).contains("Stopped early: no better epoch in 3");
        assertThat(result.json().get("epochs").asInt())
                .isLessThan(60)
                .isEqualTo(result.json().get("best_epoch").asInt() + 3);
    }

    @Test
    void anExperimentSaysWidthAndPictures() throws IOException {
        Path output = folder.resolve("narrow");
        Object[] command = {
            "train",
            "mobilenet-v1",
            "--experiment",
            4,
            "--synthetic",
            4,
            "--batch",
            2,
            "--max-steps",
            1,
            "--log-every",
            1,
            "--lr",
            0.0123456789,
            "--json",
            "--output",
            output
        };
        Cli.Result stopped = Cli.run(command);
        assertThat(stopped.exitCode()).isZero();
        assertThat(stopped.out()).contains(" - rate 0.01235 - loss: ");
        // An epoch that was stopped counts: one batch of two pictures.
        assertThat(stopped.json().get("seconds").asDouble())
                .isPositive()
                .isCloseTo(2 / stopped.json().get("train_images_per_second").asDouble(), Offset.offset(0.1));
        RunConfig config = RunFolder.around(output).readConfig();
        assertThat(config.network().multiplier()).isEqualTo(0.25);
        assertThat(config.network().height()).isEqualTo(224);
        assertThat(config.schedule()).isEqualTo(ScheduleSpec.exponential(0.0123456789, 0.98));

        Path other = folder.resolve("wide");
        Cli.Result result = Cli.run(
                "train",
                "mobilenet-v1",
                "--experiment",
                7,
                "--width-multiplier",
                0.25,
                "--lr-factor",
                0.9,
                "--synthetic",
                4,
                "--batch",
                2,
                "--max-steps",
                1,
                "--output",
                other);
        assertThat(result.exitCode()).as(result.err()).isZero();
        config = RunFolder.around(other).readConfig();
        assertThat(config.network().multiplier()).isEqualTo(0.25);
        assertThat(config.network().height()).isEqualTo(128);
        assertThat(config.schedule().factor()).isEqualTo(0.9);
    }

    @Test
    void variantsAreTrainedSavedAndBuiltAgain() throws IOException {
        Path output = folder.resolve("variant");
        Cli.Result trained = Cli.run(
                "train",
                "mobilenet-v2",
                "--activation",
                "leaky-relu:0.125",
                "--width-multiplier",
                0.25,
                "--symmetric-padding",
                "--norm-epsilon",
                1e-4,
                "--size",
                "32x32x3",
                "--data",
                records.resolve("train.trec"),
                "--val",
                records.resolve("val.trec"),
                "--epochs",
                1,
                "--output",
                output,
                "--json");
        assertThat(trained.err()).isEmpty();
        assertThat(trained.exitCode()).isZero();
        NetworkSpec spec = RunFolder.around(output).readConfig().network();
        assertThat(spec.multiplier()).isEqualTo(0.25);
        assertThat(spec.variant())
                .isEqualTo(NetworkVariant.ORIGINAL
                        .withActivation(Nonlinearity.parse("leaky-relu:0.125"))
                        .withSymmetricPadding(true)
                        .withEpsilon(1e-4));
        Cli.Result evaluated = Cli.run("evaluate", output, "--data", records.resolve("val.trec"), "--json");
        assertThat(evaluated.err()).isEmpty();
        assertThat(evaluated.json().get("loss").asDouble())
                .isCloseTo(trained.json().get("val_loss").asDouble(), Offset.offset(1e-4));
    }

    @Test
    void mistakesAreNamedBeforeAnyWork() throws IOException {
        Path output = folder.resolve("mistakes");
        assertThat(Cli.run("train", "mnist", "--network", "dense3", "--data", output, "--output", output)
                        .errLines()
                        .getFirst())
                .isEqualTo("tenon train: one network, please: given mnist and --network dense3");
        Cli.Result noFile = Cli.run("train", "--data", folder.resolve("no.trec"), "--output", output);
        assertThat(noFile.exitCode()).isEqualTo(1);
        assertThat(noFile.err()).contains("no.trec: there is no such file");
        assertThat(Cli.run("train", "--data", records.resolve("train.trec"), "--output", output, "--lr", 0)
                        .errLines()
                        .getFirst())
                .isEqualTo("tenon train: the learning rate must be positive: 0.0");
        assertThat(Cli.run("train", "--data", records.resolve("train.trec"), "--output", output, "--schedule", "cos")
                        .errLines()
                        .getFirst())
                .contains("'cos' must be one of constant, step, cosine, linear, time-decay, one-cycle");
        assertThat(Cli.run("evaluate", folder, "--data", records.resolve("val.trec"))
                        .errLines()
                        .getFirst())
                .endsWith("(there is no run.json in it or above it)");
        assertThat(output).doesNotExist();

        Path damaged = Files.copy(records.resolve("train.trec"), folder.resolve("damaged.trec"));
        byte[] bytes = Files.readAllBytes(damaged);
        bytes[bytes.length / 2] ^= 0x10;
        Files.write(damaged, bytes);
        Cli.Result broken = Cli.run("train", "--data", damaged, "--output", output, "--epochs", 1);
        assertThat(broken.exitCode()).isEqualTo(1);
        assertThat(broken.err()).contains("damaged.trec: sample ").contains("checksum differs");
        assertThat(broken.errLines()).hasSize(1);
    }

    @Test
    void damagedPicturesStopTrainingOrAreSkippedAndCounted() throws IOException {
        Path damaged = folder.resolve("flipped.trec");
        Files.copy(records.resolve("train.trec"), damaged);
        try (Records reader = Records.open(damaged);
                RandomAccessFile bytes = new RandomAccessFile(damaged.toFile(), "rw")) {
            for (int sample : new int[] {4, 11}) {
                bytes.seek(reader.offset(sample));
                int first = bytes.read();
                bytes.seek(reader.offset(sample));
                bytes.write(first ^ 1);
            }
        }
        Cli.Result stopped = trainOn(damaged, folder.resolve("stopped"));
        assertThat(stopped.exitCode()).isEqualTo(1);
        assertThat(stopped.err()).contains(damaged + ": sample ").contains("checksum differs");

        Cli.Result skipped =
                trainOn(damaged, folder.resolve("skipped"), "--on-error", "skip", "--workers", 2, "--json");
        assertThat(skipped.exitCode()).isZero();
        assertThat(skipped.err()).contains("2 pictures could not be read");
        assertThat(skipped.json().get("skipped_pictures").asInt()).isEqualTo(2);
        assertThat(skipped.json().get("loader_wait_share").asDouble()).isBetween(0.0, 1.0);
    }

    @Test
    void orderAndDecoderCanBeChosen() {
        Cli.Result segments = train(
                folder.resolve("segments"),
                1,
                "--shuffle-segment",
                4,
                "--shuffle-window",
                3,
                "--decoder",
                "imageio",
                "--json");
        assertThat(segments.exitCode()).as(segments.err()).isZero();
        assertThat(segments.json().get("skipped_pictures").asInt()).isZero();
        Cli.Result wrong = train(folder.resolve("wrong"), 1, "--decoder", "magic");
        assertThat(wrong.exitCode()).isEqualTo(2);
        assertThat(wrong.err()).contains("--decoder: JPEG decoder must be auto or one of [turbo, stb, imageio]");
        assertThat(train(folder.resolve("wrong"), 1, "--workers", -1).exitCode())
                .isEqualTo(2);
    }

    private static Cli.Result trainOn(Path data, Path output, Object... more) {
        List<Object> arguments = new ArrayList<>(arguments(output, 2));
        arguments.set(arguments.indexOf("--data") + 1, data);
        arguments.addAll(List.of(more));
        return Cli.run(arguments.toArray());
    }

    private static Cli.Result train(Path output, int epochs, Object... more) {
        List<Object> arguments = new ArrayList<>(arguments(output, epochs));
        arguments.addAll(List.of(more));
        return Cli.run(arguments.toArray());
    }

    private static List<String> arguments(Path output, int epochs) {
        return List.of(
                "train",
                "--data",
                records.resolve("train.trec").toString(),
                "--val",
                records.resolve("val.trec").toString(),
                "--network",
                "minivgg",
                "--epochs",
                Integer.toString(epochs),
                "--batch",
                "16",
                "--threads",
                "2",
                "--output",
                output.toString());
    }

    /** Lines of history.csv without the time that each epoch took. */
    private static List<String> history(Path run) throws IOException {
        return Files.readAllLines(run.resolve("history.csv")).stream()
                .map(line -> line.replaceFirst(",[^,]*$", ""))
                .toList();
    }

    private static Path newest(Path run) throws IOException {
        Path checkpoints = run.resolve("checkpoints");
        return checkpoints.resolve(
                Files.readString(checkpoints.resolve("latest")).strip());
    }
}
