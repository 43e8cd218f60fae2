package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.apps.TestData;
import tenon.apps.pictures.CurveSheet.Curve;
import tenon.optim.checkpoint.CheckpointStore;
import tenon.optim.checkpoint.SafetensorsFile;
import tenon.optim.train.TrainingPosition;

/** What a training command may be asked for, on small pictures. */
class TrainingOptionsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private static Path folder;

    private static Path records;

    @BeforeAll
    static void draw() throws IOException {
        records = folder.resolve("records");
        TestData.records(folder.resolve("pictures"), records);
    }

    private static Cli.Result train(Path output, Object... more) {
        List<Object> arguments = new ArrayList<>(List.of(
                "train",
                "--data",
                records.resolve("train.trec"),
                "--val",
                records.resolve("val.trec"),
                "--batch",
                16,
                "--threads",
                2,
                "--output",
                output));
        arguments.addAll(List.of(more));
        return Cli.run(arguments.toArray());
    }

    private static Cli.Result done(Cli.Result result) {
        assertThat(result.exitCode()).as(result.err() + result.out()).isZero();
        assertThat(result.err()).isEmpty();
        return result;
    }

    private static List<String> history(Path run, String name) throws IOException {
        return Files.readAllLines(run.resolve(name + ".csv")).stream()
                .map(line -> line.replaceFirst(",[^,]*$", ""))
                .toList();
    }

    private static Path newest(Path checkpoints) throws IOException {
        return checkpoints.resolve(
                Files.readString(checkpoints.resolve("latest")).strip());
    }

    private static void assertSameBits(Path a, Path b, String... files) throws IOException {
        for (String file : files) {
            assertThat(Files.mismatch(a.resolve(file), b.resolve(file)))
                    .as(file)
                    .isEqualTo(-1);
        }
    }

    /** Stop, look, go back, lower the rate: bit for bit the run that had the lower rate from that epoch on, and nothing is lost. */
    @Test
    void goesBackToAnEarlierEpochAtAnotherRate() throws IOException {
        Path run = folder.resolve("hands-on");
        Cli.Result stopped =
                done(train(run, "--epochs", 6, "--until", 4, "--lr", 0.02, "--restart-optimizer", "--json"));
        assertThat(stopped.out()).contains("Stopped by --until 4. To go on: ./tenon resume " + run);
        assertThat(stopped.json().get("stopped_by").asText()).isEqualTo("--until 4");
        List<String> first = history(run, "history");
        assertThat(first).hasSize(5);

        Cli.Result back = done(Cli.run("resume", run, "--from-epoch", 2, "--lr", 0.0002, "--until", 5));
        assertThat(back.out())
                .contains("Branch 2 goes on from checkpoints/checkpoint-2-")
                .contains("with rate 0.0002");
        assertThat(back.outLines()).contains("Epoch 3/5").doesNotContain("Epoch 2/5");
        done(Cli.run("resume", run));
        assertThat(history(run, "history-1")).isEqualTo(first);

        Path straight = folder.resolve("straight");
        done(train(straight, "--epochs", 6, "--lr", 0.02, "--lr-at", "2=0.0002", "--restart-optimizer"));
        assertThat(history(run, "history")).isEqualTo(history(straight, "history"));
        assertSameBits(
                newest(run.resolve("checkpoints-2")),
                newest(straight.resolve("checkpoints")),
                "model.safetensors",
                "optimizer.safetensors");

        // A point for each of the six epochs, whatever was done twice.
        RunCurves curves = new RunCurves();
        curves.add("hands-on", RunFolder.around(run));
        for (RunCurves.Measure measure : List.of(RunCurves.Measure.LOSS, RunCurves.Measure.RANK_1)) {
            List<Curve> drawn = curves.panel(measure).curves();
            assertThat(drawn).extracting(Curve::name).containsExactly("branch 1, left at 2", "train", "val");
            assertThat(drawn.get(0).x()).containsExactly(2, 3, 4);
            assertThat(drawn.get(1).x()).containsExactly(1, 2, 3, 4, 5, 6);
            assertThat(drawn.get(2).x()).containsExactly(1, 2, 3, 4, 5, 6);
        }

        JsonNode branches = JSON.readTree(run.resolve("run.json").toFile()).get("branches");
        assertThat(branches).hasSize(2);
        assertThat(branches.get(1).get("parent").asInt()).isEqualTo(1);
        assertThat(branches.get(1).get("epoch").asInt()).isEqualTo(2);
        try (Stream<Path> kept = Files.list(run.resolve("checkpoints"))) {
            assertThat(kept.filter(Files::isDirectory).count()).isEqualTo(4);
        }
        assertThat(run.resolve("tensorboard/branch-2")).isDirectory();

        for (Path checkpoint :
                CheckpointStore.open(run.resolve("checkpoints"), 1).list()) {
            assertThat(RunFolder.around(run).givenUp().test(run.relativize(checkpoint)))
                    .as(checkpoint.toString())
                    .isEqualTo(TrainingPosition.read(checkpoint).epoch() > 2);
        }

        Cli.Result missing = Cli.run("resume", run, "--from-epoch", 7);
        assertThat(missing.exitCode()).isEqualTo(1);
        assertThat(missing.err())
                .contains("no checkpoint of the end of epoch 7: there are those of [1, 2, 3, 4, 5, 6]");
        assertThat(Cli.run("resume", run, "--from-epoch", 6).err()).contains("nothing is left to train after epoch 6");

        Path svg = folder.resolve("plots/both.svg");
        done(Cli.run("plot", run, straight, "--labels", "hands-on,straight", "--output", svg));
        // Letters are drawn as outlines; lines tell by their colours: each run's, and the pale one of what was given
        // up.
        String drawing = Files.readString(svg);
        assertThat(List.of("rgb(31,119,180)", "rgb(214,39,40)", "rgb(180,209,230)"))
                .allSatisfy(
                        color -> assertThat(drawing.contains("stroke:" + color)).isTrue());
        assertThat(drawing.contains("<svg")).isTrue();
        Cli.Result png = done(Cli.run("plot", run, "--json"));
        assertThat(png.json().get("epochs").asInt()).isEqualTo(6);
        assertThat(ImageIO.read(run.resolve("plot.png").toFile()).getWidth()).isEqualTo(2 * 720);
        assertThat(Cli.run("plot", run, "--output", "x.pdf").exitCode()).isEqualTo(2);

        done(Cli.run("evaluate", run, "--data", records.resolve("val.trec")));
    }

    /** A branch that is interrupted before its first checkpoint goes on from where it began. */
    @Test
    void aBranchWithoutACheckpointBeginsAgain() throws IOException {
        Path run = folder.resolve("early-branch");
        done(train(run, "--epochs", 3, "--until", 2));
        Path file = run.resolve("run.json");
        ObjectNode saved = (ObjectNode) JSON.readTree(file.toFile());
        saved.withArray("branches")
                .addObject()
                .put("number", 2)
                .put("parent", 1)
                .put("epoch", 1)
                .put("checkpoint", "checkpoints/checkpoint-1-5")
                .putNull("rate");
        Files.write(file, JSON.writeValueAsBytes(saved));
        Cli.Result resumed = done(Cli.run("resume", run));
        assertThat(resumed.outLines()).contains("Epoch 2/3").doesNotContain("Epoch 1/3");
        assertThat(Cli.run("predict", run, folder.resolve("pictures/b/4.png"), "--output", folder.resolve("p"))
                        .exitCode())
                .isZero();
    }

    /** Its history is its own from the first update on: what it gave up is not its way. */
    @Test
    void aBranchStoppedInItsFirstEpochHasTheEpochsBeforeIt() throws IOException {
        Path run = folder.resolve("short-branch");
        done(train(run, "--epochs", 4, "--until", 3));
        List<String> first = history(run, "history");
        done(Cli.run("resume", run, "--from-epoch", 1, "--lr", 0.002, "--max-steps", 1));
        assertThat(history(run, "history")).isEqualTo(first.subList(0, 2));
        assertThat(history(run, "history-1")).isEqualTo(first);
        assertThat(done(Cli.run("plot", run, "--json")).json().get("epochs").asInt())
                .isEqualTo(3);
        done(Cli.run("resume", run, "--from-epoch", 1, "--lr", 0.001, "--max-steps", 1));
        assertThat(history(run, "history-2")).isEqualTo(first.subList(0, 2));
    }

    @Test
    void everythingAtOnceResumesInTheSameBits() throws IOException {
        Object[] options = {
            "--epochs",
            3,
            "--accumulate",
            2,
            "--ema",
            0.9,
            "--mixup",
            0.3,
            "--clip-norm",
            1,
            "--optimizer",
            "adamw",
            "--weight-decay",
            0.05,
            "--decay-all",
            "--beta2",
            0.99,
            "--schedule",
            "cosine",
            "--lr-end",
            1e-4,
            "--warm-up",
            1,
            "--label-smoothing",
            0.1,
            "--freeze",
            "block1",
            "--lr-scale",
            "fc2=3,fc1=0.5",
            "--augment",
            "flip",
            "--random-erasing",
            0.6,
            "--keep",
            "all",
            "--lr",
            0.002
        };
        Path whole = folder.resolve("all-whole");
        done(train(whole, options));
        Path parts = folder.resolve("all-parts");
        List<Object> limited = new ArrayList<>(List.of(options));
        limited.addAll(List.of("--max-steps", 4, "--checkpoint-steps", 1));
        assertThat(done(train(parts, limited.toArray())).out()).contains("Stopped by --max-steps 4");
        done(Cli.run("resume", parts, "--max-steps", 1));
        done(Cli.run("resume", parts));
        assertThat(history(parts, "history"))
                .isEqualTo(history(whole, "history"))
                .hasSize(4);
        assertSameBits(
                newest(parts.resolve("checkpoints")),
                newest(whole.resolve("checkpoints")),
                "model.safetensors",
                "optimizer.safetensors",
                "average.safetensors");
        // What evaluate measures is the average, which validation measured.
        Cli.Result evaluated = done(Cli.run(
                "evaluate", newest(whole.resolve("checkpoints")), "--data", records.resolve("val.trec"), "--json"));
        String last = history(whole, "history").getLast();
        assertThat(last).contains("," + evaluated.json().get("rank1").asDouble() + ",");
        try (SafetensorsFile first =
                        SafetensorsFile.open(whole.resolve("checkpoints/checkpoint-1-3/model.safetensors"));
                SafetensorsFile end = SafetensorsFile.open(
                        newest(whole.resolve("checkpoints")).resolve("model.safetensors"))) {
            for (String name : first.entries().keySet()) {
                boolean moved = first.bytes(name).mismatch(end.bytes(name)) >= 0;
                assertThat(moved).as(name).isEqualTo(!name.startsWith("block1."));
            }
        }
    }

    @Test
    void aDivergingRunStopsAndKeepsTheLastGoodCheckpoint() throws IOException {
        Path run = folder.resolve("diverging");
        Cli.Result result = train(run, "--epochs", 4, "--lr", 0.01, "--lr-at", "2=1e38");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.err())
                .containsPattern("epoch=3, (batch=\\d+, )?step=\\d+")
                .contains("./tenon resume " + run + " --lr RATE");
        Path newest = newest(run.resolve("checkpoints"));
        assertThat(newest.getFileName()).hasToString("checkpoint-2-10");
        assertThat(CheckpointStore.problem(newest)).isEmpty();
        done(Cli.run("resume", run, "--lr", 0.001));
        assertThat(history(run, "history")).hasSize(5);
    }

    @Test
    void withoutDataItTrainsOnRandomPictures() {
        Path run = folder.resolve("synthetic");
        Cli.Result trained = done(Cli.run(
                "train",
                "--synthetic",
                60,
                "--classes",
                7,
                "--size",
                "12x12x3",
                "--batch",
                9,
                "--epochs",
                12,
                "--norm",
                "fast",
                "--log-every",
                4,
                "--output",
                run,
                "--json"));
        assertThat(trained.out())
                .contains("val_rank-5: ")
                .containsPattern("  step 4 \\(4/6\\) - rate 0.01 - loss: .* - rank-1: .* - rank-5: .* images/s - ETA ");
        assertThat(trained.json().get("epochs").asInt()).isEqualTo(12);
        // Every four updates of an epoch's six, and what is left at its end.
        assertThat(trained.outLines().stream()
                        .filter(line -> line.startsWith("  step "))
                        .map(line -> line.replaceFirst("  step (\\d+) .*", "$1"))
                        .limit(6))
                .containsExactly("4", "6", "10", "12", "16", "18");
        assertThat(trained.outLines().stream().filter(line -> line.contains(" - val_loss: ")))
                .hasSize(12)
                .allMatch(line -> line.matches(".* - loss: .* - rank-1: .* - rank-5: .* - val_loss: \\d+\\.\\d{4}"
                        + " - val_rank-1: [01]\\.\\d{4} - val_rank-5: [01]\\.\\d{4}"));
        Cli.Result rehearsed = done(Cli.run(
                "train",
                "--synthetic",
                "--network",
                "mnist",
                "--epochs",
                3,
                "--batch",
                10,
                "--accumulate",
                4,
                "--dry-run",
                "--output",
                folder.resolve("nothing"),
                "--json"));
        assertThat(rehearsed.out())
                .contains("23 updates an epoch, 69 in 3 epochs")
                .contains("nothing was written");
        assertThat(rehearsed.json().get("parameters").asLong()).isEqualTo(784 * 800 + 800 + 800 * 10 + 10);
        assertThat(folder.resolve("nothing")).doesNotExist();
        assertThat(Cli.run("train", "--output", run).err()).contains("--data PATH, or --synthetic");
    }

    /** None changes what is drawn at random, and what run.json says is what was done. */
    @Test
    void whatWouldNotChangeRandomPicturesIsRefused() {
        Path run = folder.resolve("unchanged");
        for (List<Object> option : List.<List<Object>>of(
                List.of("--mixup", 0.2),
                List.of("--random-erasing", 0.2),
                List.of("--augment", "flip"),
                List.of("--normalize", "imagenet"),
                List.of("--workers", 3),
                List.of("--on-error", "skip"),
                List.of("--decoder", "auto"),
                List.of("--shuffle-segment", 8),
                List.of("--shuffle-window", 4))) {
            Cli.Result result =
                    Cli.run("train", "mnist", "--synthetic", 4, option.getFirst(), option.getLast(), "--output", run);
            assertThat(result.exitCode()).isEqualTo(2);
            assertThat(result.errLines().getFirst())
                    .isEqualTo("tenon train: " + option.getFirst() + " has no effect on the random pictures of"
                            + " --synthetic: leave it out, or give --data");
        }
        assertThat(run).doesNotExist();
    }

    @Test
    void beginsWithTheWeightsOfAnotherRun() throws IOException {
        Path source = folder.resolve("source");
        Cli.Result trained = done(train(source, "--epochs", 1, "--json"));
        Path tuned = folder.resolve("tuned");
        Cli.Result result = done(Cli.run(
                "train",
                "--synthetic",
                40,
                "--classes",
                5,
                "--size",
                "12x12x3",
                "--weights",
                source,
                "--freeze",
                "block1,block2",
                "--epochs",
                1,
                "--output",
                tuned));
        assertThat(result.out())
                .contains("Names: tenon", "Matched: 30 of 32 tensors")
                .contains("Left at their initialization: 2: fc2.weight, fc2.bias");
        try (SafetensorsFile before = SafetensorsFile.open(
                        newest(source.resolve("checkpoints")).resolve("model.safetensors"));
                SafetensorsFile after = SafetensorsFile.open(
                        newest(tuned.resolve("checkpoints")).resolve("model.safetensors"))) {
            for (String name : before.entries().keySet()) {
                if (name.startsWith("block")) {
                    assertThat(before.bytes(name).mismatch(after.bytes(name)))
                            .as(name)
                            .isEqualTo(-1);
                }
            }
        }
        Cli.Result measured = done(train(folder.resolve("measured"), "--weights", source, "--evaluate-only", "--json"));
        Cli.Result evaluated = done(Cli.run("evaluate", source, "--data", records.resolve("val.trec"), "--json"));
        assertThatFiguresAreKept(source, evaluated);
        // In the same bits as at the epoch's end.
        assertThat(measured.json().get("loss")).isEqualTo(trained.json().get("val_loss"));
        // evaluate merges batch norms into their neighbours.
        assertThat(measured.json().get("loss").asDouble())
                .isCloseTo(evaluated.json().get("loss").asDouble(), within(1e-5));

        Cli.Result other = train(folder.resolve("wrong"), "--network", "smallvgg", "--weights", source);
        assertThat(other.exitCode()).isEqualTo(1);
        assertThat(other.err()).containsPattern("\\d+ of \\d+ tensors are missing: block");
        Cli.Result size = Cli.run(
                "train", "--synthetic", "--size", "16x16x3", "--weights", source, "--output", folder.resolve("wrong"));
        assertThat(size.exitCode()).isEqualTo(1);
        assertThat(size.err())
                .contains("'fc1.weight' must have the shape [512, 1024] for fc1.weight: shape=[512, 576]");
        Cli.Result layer = train(folder.resolve("wrong"), "--freeze", "conv9");
        assertThat(layer.exitCode()).isEqualTo(2);
        assertThat(layer.err()).contains("--freeze: the network has no layer 'conv9': its layers are block1, block2");
        assertThat(train(folder.resolve("wrong"), "--evaluate-only").err()).contains("--evaluate-only needs --weights");
        assertThat(train(folder.resolve("wrong"), "--evaluate-only", "--weights", source, "--random-erasing", 0.5)
                        .errLines()
                        .getFirst())
                .isEqualTo("tenon train: --random-erasing has no effect with --evaluate-only, which trains nothing:"
                        + " leave it out");
        assertThat(train(folder.resolve("wrong"), "--random-erasing", 1.5).err())
                .contains("--random-erasing must lie in [0, 1]: 1.5");
        assertThat(folder.resolve("wrong")).doesNotExist();
    }

    /** Once each, however often they are measured, in the run's folder. */
    private static void assertThatFiguresAreKept(Path run, Cli.Result evaluated) throws IOException {
        Path data = records.resolve("val.trec");
        Path file = run.resolve("evaluations.json");
        JsonNode kept = JSON.readTree(file.toFile());
        assertThat(kept).hasSize(1);
        assertThat(kept.get(0).get("checkpoint").asText()).isEqualTo("checkpoints/checkpoint-1-5");
        assertThat(kept.get(0).get("epoch").asInt()).isEqualTo(1);
        assertThat(kept.get(0).get("data").asText()).isEqualTo(data.toString());
        assertThat(kept.get(0).get("split").asText()).isEqualTo("val");
        assertThat(kept.get(0).get("crops").asInt()).isEqualTo(1);
        assertThat(kept.get(0).get("precision").asText()).isEqualTo("fp32");
        assertThat(kept.get(0).get("device").asText()).isEqualTo("cpu");
        assertThat(kept.get(0).get("samples").asInt()).isEqualTo(18);
        for (String figure : List.of("rank1", "rank5", "loss")) {
            assertThat(kept.get(0).get(figure)).isEqualTo(evaluated.json().get(figure));
        }
        assertThat(Instant.parse(kept.get(0).get("date").asText())).isBefore(Instant.now());
        done(Cli.run(
                "evaluate",
                run.resolve("checkpoints/checkpoint-1-5"),
                "--data",
                data,
                "--crops",
                "1,10",
                "--resize",
                16));
        done(Cli.run("evaluate", run, "--data", data));
        kept = JSON.readTree(file.toFile());
        assertThat(kept).extracting(entry -> entry.get("crops").asInt()).containsExactly(1, 10, 1);
        assertThat(kept).extracting(entry -> entry.get("resize").asInt()).containsExactly(16, 16, 0);
        Files.writeString(file, "[{");
        assertThat(Cli.run("evaluate", run, "--data", data).errLines())
                .singleElement()
                .asString()
                .startsWith("warning: the figures are not kept for ./tenon experiments: " + file + ": is damaged");
        assertThat(file).hasContent("[{");
    }

    @Test
    void dataThatWereBuiltAgainOtherwiseAreRefused() throws IOException {
        Path data = folder.resolve("rebuilt");
        Files.createDirectories(data);
        Path file = data.resolve("train.trec");
        Files.copy(records.resolve("train.trec"), file);
        Path run = folder.resolve("rebuilt-run");
        done(Cli.run("train", "--data", file, "--batch", 13, "--epochs", 1, "--output", run));
        Path pictures = folder.resolve("four");
        TestData.pictures(pictures, List.of("a", "b", "c", "d"), 20, 20, 16, 5);
        Path four = folder.resolve("four-records");
        assertThat(Cli.run("build", "folder", pictures, "--output", four, "--size", "12x12x3", "--val", 0.1)
                        .exitCode())
                .isZero();
        Files.copy(four.resolve("train.trec"), file, StandardCopyOption.REPLACE_EXISTING);
        Cli.Result classes = Cli.run("resume", run, "--epochs", 2);
        assertThat(classes.exitCode()).isEqualTo(1);
        assertThat(classes.err()).contains("it has 4, [a, b, c, d]; the network has 3, [a, b, c]");
        Cli.Result other = Cli.run("evaluate", run, "--data", four.resolve("val.trec"));
        assertThat(other.err()).contains("must have the classes that the network was trained on");
    }

    /** As a version wrote it that had fewer settings. */
    @Test
    void runsOfBeforeTheOptionsCanBeGoneOnWith() throws IOException {
        Path run = folder.resolve("old");
        done(train(run, "--epochs", 1));
        Path file = run.resolve("run.json");
        ObjectNode saved = (ObjectNode) JSON.readTree(file.toFile());
        saved.remove("branches");
        ObjectNode config = (ObjectNode) saved.get("config");
        config.remove(List.of("step", "start", "checkpoints", "original"));
        ((ObjectNode) config.get("optimizer")).retain("kind", "momentum", "nesterov", "weightDecay");
        ((ObjectNode) config.get("schedule")).retain("kind", "rate", "warmUpEpochs");
        Files.write(file, JSON.writeValueAsBytes(saved));
        done(Cli.run("resume", run, "--epochs", 2));
        done(Cli.run("plot", run));
    }

    @Test
    void repeatsAnExperiment() throws IOException {
        Path run = folder.resolve("experiment");
        Cli.Result trained = done(Cli.run(
                "train",
                "alexnet",
                "--experiment",
                3,
                "--synthetic",
                11,
                "--classes",
                7,
                "--size",
                "67x67x3",
                "--width-multiplier",
                0.0625,
                "--batch",
                2,
                "--until",
                1,
                "--output",
                run,
                "--json"));
        assertThat(trained.out())
                .contains("Experiment alexnet-3: ")
                .contains("Published alexnet-3: rank-1 57.00 %, rank-5 79.52 %");
        assertThat(trained.json().get("published_rank1").asDouble()).isEqualTo(0.57);
        JsonNode config = JSON.readTree(run.resolve("run.json").toFile()).get("config");
        assertThat(config.get("original").get("name").asText()).isEqualTo("alexnet-3");
        assertThat(config.get("epochs").asInt()).isEqualTo(100);
        assertThat(config.get("step").get("accumulate").asInt()).isEqualTo(8);
        assertThat(config.get("optimizer").get("weightDecay").asDouble()).isEqualTo(5e-4);
        assertThat(config.get("optimizer").get("decaysAll").asBoolean()).isTrue();
        assertThat(config.get("optimizer").get("restarts").asBoolean()).isTrue();
        assertThat(config.get("schedule").get("rate").asDouble()).isEqualTo(0.01);
        assertThat(config.get("schedule").get("changes").get(1).get("epoch").asInt())
                .isEqualTo(85);
        assertThat(config.get("schedule").get("changes").get(1).get("rate").asDouble())
                .isEqualTo(1e-4);
        assertThat(config.get("checkpoints").get("keep").asInt()).isZero();
        Path svg = folder.resolve("experiment.svg");
        done(Cli.run("plot", run, "--output", svg));
        assertThat(Files.readString(svg).contains("stroke:rgb(64,64,64)")).isTrue();

        Cli.Result unknown = Cli.run("train", "alexnet", "--experiment", 9, "--synthetic", "--output", run);
        assertThat(unknown.exitCode()).isEqualTo(2);
        assertThat(unknown.err()).contains("there is no experiment 9 of alexnet");
        assertThat(Cli.run(
                                "train",
                                "alexnet",
                                "--experiment",
                                1,
                                "--synthetic",
                                "--activation",
                                "elu:1",
                                "--output",
                                folder.resolve("other"))
                        .err())
                .contains("--experiment says how the network differs");
    }

    @Test
    void helpGroupsTheOptions() {
        String help = Cli.run("train", "--help").out();
        assertThat(help.lines().filter(line -> line.endsWith(":") && !line.startsWith(" ")))
                .containsSubsequence(
                        "Data:",
                        "Optimizer:",
                        "Learning rate:",
                        "Steps and regularization:",
                        "Fine-tuning:",
                        "Checkpoints:",
                        "Limits and logs:",
                        "Reading pictures:",
                        "Computing:");
        assertThat(Cli.run("resume", "--help").out()).contains("Limits and logs:\n");
    }
}
