package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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
import tenon.apps.pictures.CurveSheet.Stroke;
import tenon.optim.train.EpochRecord;
import tenon.optim.train.History;
import tenon.optim.train.Metric;

/** What options of training do besides the updates, on 36 pictures of 4×4 pixels in three classes. */
class RunOptionsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private static Path folder;

    private static Path pictures;
    private static Path records;
    /** A run of three epochs of four steps. */
    private static Path run;

    @BeforeAll
    static void draw() throws IOException {
        pictures = folder.resolve("pictures");
        TestData.pictures(pictures, List.of("a", "b", "c"), 12, 20, 16, 5);
        done(Cli.run("build", "folder", pictures, "--output", folder, "--size", "4x4x3"));
        records = folder.resolve("train.trec");
        run = folder.resolve("run");
        done(train(run, "--val", records, "--epochs", 3));
    }

    private static Cli.Result train(Path output, Object... more) {
        return train(0.05, output, more);
    }

    private static Cli.Result train(double rate, Path output, Object... more) {
        List<Object> arguments = new ArrayList<>(List.of(
                "train", "mnist", "--data", records, "--batch", 9, "--lr", rate, "--threads", 1, "--output", output));
        arguments.addAll(List.of(more));
        return Cli.run(arguments.toArray());
    }

    private static Cli.Result done(Cli.Result result) {
        assertThat(result.exitCode()).as(result.err() + result.out()).isZero();
        assertThat(result.err()).isEmpty();
        return result;
    }

    private static JsonNode config(Path of) throws IOException {
        return JSON.readTree(of.resolve("run.json").toFile()).get("config");
    }

    private static History history(Path of) throws IOException {
        return new RunFolder(of).history(Branch.FIRST, true);
    }

    private static List<String> names(Path of) throws IOException {
        try (Stream<Path> files = Files.list(of)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void checkpointsEveryFewEpochsAndAtTheEnd() throws IOException {
        Path rare = folder.resolve("rare");
        done(train(rare, "--epochs", 5, "--checkpoint-every", 2, "--keep", "all"));
        assertThat(names(rare.resolve("checkpoints")).stream().filter(name -> name.startsWith("checkpoint-")))
                .containsExactly("checkpoint-2-8", "checkpoint-4-16", "checkpoint-5-20");
        assertThat(config(rare).get("checkpointEvery").asInt()).isEqualTo(2);
        assertThat(train(folder.resolve("none"), "--checkpoint-every", 0).err())
                .contains("--checkpoint-every must be at least 1: 0");
    }

    /** The classes are soon told apart, and the loss goes on falling. */
    @Test
    void theBestEpochIsChosenByAccuracyOrByLoss() throws IOException {
        for (RunConfig.Judge judge : RunConfig.Judge.values()) {
            Path judged = folder.resolve("by-" + judge);
            Cli.Result result = done(train(judged, "--val", records, "--epochs", 8, "--best-by", judge, "--json"));
            History history = history(judged);
            int byAccuracy = history.epochs().stream()
                    .max((a, b) -> a.validationAccuracy() != b.validationAccuracy()
                            ? Double.compare(a.validationAccuracy(), b.validationAccuracy())
                            : b.epoch() - a.epoch())
                    .map(EpochRecord::epoch)
                    .orElseThrow();
            assertThat(byAccuracy).isLessThan(8);
            assertThat(history.values(Metric.VALIDATION_LOSS)[7])
                    .isLessThan(history.values(Metric.VALIDATION_LOSS)[byAccuracy - 1]);
            int best = judge == RunConfig.Judge.VAL_ACC ? byAccuracy : 8;
            assertThat(result.json().get("best_epoch").asInt()).isEqualTo(best);
            assertThat(Files.readString(judged.resolve("checkpoints/best")).strip())
                    .isEqualTo("checkpoint-" + best + "-" + 4 * best);
            assertThat(config(judged).get("judge").asText()).isEqualTo(judge.name());
        }
    }

    @Test
    void eventFilesHoldTheEpochs() throws IOException {
        Path events = run.resolve("tensorboard/branch-1");
        assertThat(names(events)).singleElement().asString().startsWith("events.out.tfevents.");
        byte[] file = Files.readAllBytes(events.resolve(names(events).getFirst()));
        for (EpochRecord epoch : history(run).epochs()) {
            assertThat(holds(file, epoch.step(), "loss/train", epoch.loss())).isTrue();
            assertThat(holds(file, epoch.step(), "loss/val", epoch.validationLoss()))
                    .isTrue();
            assertThat(holds(file, epoch.step(), "rank-1/val", epoch.validationAccuracy()))
                    .isTrue();
            assertThat(holds(file, epoch.step() - 1, "loss/val", epoch.validationLoss()))
                    .isFalse();
        }
        Path without = folder.resolve("no-events");
        done(train(without, "--epochs", 1, "--no-tensorboard"));
        assertThat(without.resolve("tensorboard")).doesNotExist();
        Path noPoints = folder.resolve("no-points");
        done(train(noPoints, "--epochs", 1, "--log-every", 0));
        assertThat(noPoints.resolve("tensorboard")).doesNotExist();
    }

    /** Whether a frame is of a step and holds a value: after the frame's head a time of nine bytes, then the step. */
    private static boolean holds(byte[] file, long step, String tag, double value) {
        byte[] name = tag.getBytes(StandardCharsets.UTF_8);
        ByteBuffer wanted = ByteBuffer.allocate(name.length + 7).order(ByteOrder.LITTLE_ENDIAN);
        wanted.put((byte) 0x0A)
                .put((byte) name.length)
                .put(name)
                .put((byte) 0x15)
                .putFloat((float) value);
        String pattern = new String(wanted.array(), StandardCharsets.ISO_8859_1);
        ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        while (in.hasRemaining()) {
            byte[] event = new byte[Math.toIntExact(in.getLong())];
            in.getInt();
            in.get(event).getInt();
            if (event[9] == 0x10
                    && event[10] == step
                    && new String(event, StandardCharsets.ISO_8859_1).contains(pattern)) {
                return true;
            }
        }
        return false;
    }

    @Test
    void checkingFiniteNamesTheOperation() {
        Cli.Result checked = train(1e38, folder.resolve("checked"), "--epochs", 1, "--check-finite");
        assertThat(checked.exitCode()).isEqualTo(1);
        assertThat(checked.err()).contains("'fc", "produced a NaN or infinity");
        Cli.Result plain = train(1e38, folder.resolve("unchecked"), "--epochs", 1);
        assertThat(plain.exitCode()).isEqualTo(1);
        assertThat(plain.err()).contains("trainer: ").doesNotContain("produced a NaN or infinity");
    }

    @Test
    void aShareIsHeldOut() throws IOException {
        Path ofFile = folder.resolve("share-of-file");
        done(train(ofFile, "--epochs", 1, "--val-share", 0.25));
        JsonNode data = config(ofFile).get("data");
        assertThat(data.at("/train/from").asInt()).isZero();
        assertThat(data.at("/train/to").asInt()).isEqualTo(27);
        assertThat(data.at("/validation/from").asInt()).isEqualTo(27);
        assertThat(data.at("/validation/to").asInt()).isEqualTo(36);

        Path ofFolder = folder.resolve("share-of-folder");
        Cli.Result packed = done(Cli.run(
                "train",
                "mnist",
                "--data",
                pictures,
                "--size",
                "4x4x3",
                "--val-share",
                0.25,
                "--epochs",
                1,
                "--threads",
                1,
                "--output",
                ofFolder));
        assertThat(packed.out()).contains("on 27 pictures of 3 classes, 9 held out");
        assertThat(train(folder.resolve("all"), "--val-share", 1).err())
                .contains("--val-share must lie between 0 and 1: 1.0");
    }

    @Test
    void commandsComputeInBf16() throws IOException {
        Path half = folder.resolve("bf16");
        Object[] bf16 = {"--device", "reference", "--precision", "bf16"};
        List<Object> options = new ArrayList<>(List.of("--val", records, "--epochs", 1, "--json"));
        options.addAll(List.of(bf16));
        Cli.Result trained = done(train(half, options.toArray()));
        assertThat(trained.out()).containsPattern("Computing on .* in bf16");
        assertThat(config(half).at("/compute/precision").asText()).isEqualTo("BF16");
        double whole = history(run).epochs().getFirst().validationLoss();
        double rounded = trained.json().get("val_loss").asDouble();
        assertThat(rounded).isNotEqualTo(whole).isCloseTo(whole, within(0.02 * whole));

        Cli.Result evaluated =
                done(Cli.run("evaluate", half, "--data", records, bf16[0], bf16[1], bf16[2], bf16[3], "--json"));
        assertThat(evaluated.json().get("loss").asDouble()).isCloseTo(rounded, within(1e-5));
        Cli.Result exact = done(Cli.run("evaluate", half, "--data", records, "--device", "reference", "--json"));
        assertThat(exact.json().get("loss").asDouble()).isNotCloseTo(rounded, within(1e-5));
        assertThat(EvaluationLog.read(half))
                .extracting(EvaluationLog.Entry::precision, EvaluationLog.Entry::device, EvaluationLog.Entry::loss)
                .containsExactly(
                        tuple("bf16", "reference", evaluated.json().get("loss").asDouble()),
                        tuple("fp32", "reference", exact.json().get("loss").asDouble()));

        Path picture = pictures.resolve("b/4.png");
        String inBf16 = done(Cli.run(
                        "predict", half, picture, "--no-pictures", "--json", bf16[0], bf16[1], bf16[2], bf16[3]))
                .outLines()
                .getFirst();
        String inFp32 = done(Cli.run("predict", half, picture, "--no-pictures", "--json", bf16[0], bf16[1]))
                .outLines()
                .getFirst();
        double a = JSON.readTree(inBf16).at("/predictions/0/probability").asDouble();
        double b = JSON.readTree(inFp32).at("/predictions/0/probability").asDouble();
        assertThat(a).isPositive().isNotEqualTo(b).isCloseTo(b, within(0.02));
    }

    @Test
    void everyMeasureHasAPanel() throws IOException {
        Path png = folder.resolve("panels.png");
        done(Cli.run("plot", run, "--metrics", "rate,loss,rank-5,rank-1", "--output", png));
        assertThat(ImageIO.read(png.toFile()).getWidth()).isEqualTo(4 * 720);
        done(Cli.run("plot", run, "--metrics", "rank-1", "--output", png));
        assertThat(ImageIO.read(png.toFile()).getWidth()).isEqualTo(720);
        Cli.Result unknown = Cli.run("plot", run, "--metrics", "loss,rank-2", "--output", png);
        assertThat(unknown.exitCode()).isEqualTo(2);
        assertThat(unknown.err()).contains("'rank-2' must be one of loss, rank-1, rank-5, rate");

        RunCurves curves = new RunCurves();
        curves.add("run", RunFolder.around(run));
        History history = history(run);
        assertThat(curves.panel(RunCurves.Measure.RATE).curves())
                .singleElement()
                .satisfies(curve -> assertThat(curve.y()).containsExactly(0.05, 0.05, 0.05));
        assertDrawn(curves, RunCurves.Measure.LOSS, history, Metric.LOSS, Metric.VALIDATION_LOSS);
        assertDrawn(curves, RunCurves.Measure.RANK_1, history, Metric.ACCURACY, Metric.VALIDATION_ACCURACY);
        assertDrawn(curves, RunCurves.Measure.RANK_5, history, Metric.ACCURACY5, Metric.VALIDATION_ACCURACY5);
    }

    private static void assertDrawn(
            RunCurves curves, RunCurves.Measure measure, History history, Metric training, Metric validation) {
        List<Curve> drawn = curves.panel(measure).curves();
        assertThat(drawn).extracting(Curve::name).containsExactly("train", "val");
        assertThat(drawn.get(0).y()).containsExactly(history.values(training));
        assertThat(drawn.get(1).y()).containsExactly(history.values(validation));
    }

    @Test
    void whatWasPublishedIsALevel() throws IOException {
        Path repeats = folder.resolve("repeats");
        Files.createDirectories(repeats);
        Files.copy(run.resolve("history.json"), repeats.resolve("history.json"));
        ObjectNode saved = (ObjectNode) JSON.readTree(run.resolve("run.json").toFile());
        ((ObjectNode) saved.get("config"))
                .putObject("original")
                .put("name", "alexnet-3")
                .put("rank1", 0.57)
                .put("rank5", 0.7952);
        Files.write(repeats.resolve("run.json"), JSON.writeValueAsBytes(saved));
        RunCurves curves = new RunCurves();
        curves.add("repeats", new RunFolder(repeats));
        assertLevel(curves, RunCurves.Measure.RANK_1, "published alexnet-3: 0.5700", 0.57);
        assertLevel(curves, RunCurves.Measure.RANK_5, "published alexnet-3: 0.7952", 0.7952);
        for (RunCurves.Measure measure : List.of(RunCurves.Measure.LOSS, RunCurves.Measure.RATE)) {
            assertThat(curves.panel(measure).curves()).noneMatch(curve -> curve.stroke() == Stroke.LEVEL);
        }
    }

    private static void assertLevel(RunCurves curves, RunCurves.Measure measure, String name, double level) {
        assertThat(curves.panel(measure).curves())
                .filteredOn(curve -> curve.stroke() == Stroke.LEVEL)
                .singleElement()
                .satisfies(curve -> {
                    assertThat(curve.name()).isEqualTo(name);
                    assertThat(curve.x()).containsExactly(1, 3);
                    assertThat(curve.y()).containsExactly(level, level);
                });
    }
}
