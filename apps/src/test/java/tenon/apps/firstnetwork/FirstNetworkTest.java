package tenon.apps.firstnetwork;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.apps.Cli;
import tenon.apps.TestData;
import tenon.apps.pictures.LabelDrawing;
import tenon.apps.training.Augmentation;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.OptimizerSpec;
import tenon.apps.training.Prediction;
import tenon.apps.training.SavedModel;
import tenon.apps.training.ScheduleSpec;
import tenon.engine.Scope;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.io.image.ImageCodec;
import tenon.optim.schedule.Schedule;

/** The chapter's programs on a small folder of coloured stripes; predicting comes after training. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class FirstNetworkTest {
    @TempDir
    private static Path folder;

    private static Path pictures;

    @BeforeAll
    static void draw() throws IOException {
        pictures = folder.resolve("animals");
        TestData.pictures(pictures, List.of("panda", "cats", "dogs"), 44, 40, 24, 7);
    }

    @Test
    @Order(1)
    void simpleNetworkLearnsAndWritesItsThreeFiles() throws IOException {
        Cli.Result result = train("train-simple-nn", "simple_nn", 12);
        assertThat(result.err()).isEmpty();
        assertThat(result.exitCode()).isZero();
        List<String> lines = result.outLines();
        assertThat(lines.stream().filter(line -> line.startsWith("[INFO]")))
                .containsExactly(
                        "[INFO] loading images...",
                        "[INFO] training network...",
                        "[INFO] evaluating network...",
                        "[INFO] serializing network and label binarizer...");
        assertThat(lines).contains("Train on 99 samples, validate on 33 samples", "Epoch 1/12", "Epoch 12/12");
        assertThat(lines.stream().filter(line -> line.startsWith("99/99 ") && !line.endsWith(" - train")))
                .hasSize(12)
                .allMatch(line -> line.matches(
                        ".* - loss: \\d+\\.\\d{4} - acc: [01]\\.\\d{4} - val_loss: \\d+\\.\\d{4} - val_acc:"
                                + " [01]\\.\\d{4}"));
        assertThat(result.out())
                .contains("precision    recall  f1-score   support")
                .contains("avg / total");
        assertThat(result.json().get("train_images").asInt()).isEqualTo(99);
        assertThat(result.json().get("test_images").asInt()).isEqualTo(33);
        double[] losses = lines.stream()
                .filter(line -> line.startsWith("99/99 ") && !line.endsWith(" - train"))
                .mapToDouble(line -> Double.parseDouble(line.replaceFirst(".* loss: (\\d+\\.\\d+) - acc.*", "$1")))
                .toArray();
        // Glorot weights, three classes: ln 3 is the floor of an untrained network, 2 about its ceiling.
        assertThat(losses[0]).isBetween(1.05, 2.0);
        assertThat(losses[11]).isLessThan(losses[0]);

        assertThat(Files.readString(folder.resolve("simple_nn_lb.json"))).isEqualTo("[\"cats\",\"dogs\",\"panda\"]\n");
        assertThat(ImageIO.read(folder.resolve("simple_nn_plot.png").toFile())).isNotNull();
        assertThat(folder.resolve("simple_nn.model")).isRegularFile();
        assertThat(folder.resolve("simple_nn.model.work")).doesNotExist();
    }

    @Test
    @Order(2)
    void sameCommandGivesTheSameNetworkBitForBit() throws IOException {
        byte[] before = Files.readAllBytes(folder.resolve("simple_nn.model"));
        assertThat(train("train-simple-nn", "simple_nn", 12).exitCode()).isZero();
        assertThat(Files.readAllBytes(folder.resolve("simple_nn.model"))).isEqualTo(before);
    }

    @Test
    @Order(3)
    void predictDrawsTheAnswerInRedOnTheWholePicture() throws IOException {
        Path picture = pictures.resolve("dogs/3.png");
        Path drawn = folder.resolve("drawn.png");
        Cli.Result result = Cli.run(
                "first-network",
                "predict",
                "-i",
                picture,
                "-m",
                folder.resolve("simple_nn.model"),
                "-l",
                folder.resolve("simple_nn_lb.json"),
                "-w",
                32,
                "-e",
                32,
                "-f",
                1,
                "-o",
                drawn,
                "--json");
        assertThat(result.err()).isEmpty();
        assertThat(result.outLines().getFirst()).isEqualTo("[INFO] loading network and label binarizer...");
        Prediction expected = guess(picture);
        assertThat(result.outLines().get(1))
                .matches("(cats|dogs|panda): \\d+\\.\\d\\d%")
                .isEqualTo(LabelDrawing.text(expected.name(), expected.probability()));
        assertThat(result.json().get("label").asText()).isEqualTo(expected.name());
        BufferedImage copy = ImageIO.read(drawn.toFile());
        assertThat(List.of(copy.getWidth(), copy.getHeight())).containsExactly(40, 24);
        assertThat(isRed(copy)).isTrue();
        assertThat(isRed(ImageIO.read(picture.toFile()))).isFalse();
    }

    @Test
    @Order(4)
    void predictRefusesASizeThatIsNotTheNetworks() {
        Cli.Result result = Cli.run(
                "first-network",
                "predict",
                "-i",
                pictures.resolve("dogs/3.png"),
                "-m",
                folder.resolve("simple_nn.model"),
                "-l",
                folder.resolve("simple_nn_lb.json"));
        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.errLines().getFirst())
                .isEqualTo("tenon first-network predict: the network in " + folder.resolve("simple_nn.model")
                        + " takes flattened pictures of width 32 and height 32: given --width 28 --height 28 --flatten"
                        + " -1 (say --width 32 --height 32 --flatten 1)");
    }

    @Test
    @Order(5)
    void predictRefusesWhatIsNoPictureAndAnotherNetworksLabels() throws IOException {
        Path text = Files.writeString(folder.resolve("notes.jpg"), "no picture");
        Cli.Result noPicture = Cli.run(
                "first-network",
                "predict",
                "-i",
                text,
                "-m",
                folder.resolve("simple_nn.model"),
                "-l",
                folder.resolve("simple_nn_lb.json"),
                "-w",
                32,
                "-e",
                32,
                "-f",
                1);
        assertThat(noPicture.exitCode()).isEqualTo(1);
        assertThat(noPicture.errLines()).hasSize(1);
        assertThat(noPicture.err()).contains("image " + text + ": this is no image file of a known format");

        Path labels = Files.writeString(folder.resolve("two.json"), "[\"a\",\"b\"]");
        Cli.Result wrong = Cli.run(
                "first-network",
                "predict",
                "-i",
                pictures.resolve("dogs/3.png"),
                "-m",
                folder.resolve("simple_nn.model"),
                "-l",
                labels,
                "-w",
                32,
                "-e",
                32,
                "-f",
                1);
        assertThat(wrong.exitCode()).isEqualTo(1);
        assertThat(wrong.err()).contains("names 2 classes").contains("tells 3 apart");
    }

    @Test
    @Order(6)
    void vggTrainsInStepsAndPredicts() {
        Cli.Result result = train("train-vgg", "vgg", 1);
        assertThat(result.err()).isEmpty();
        assertThat(result.exitCode()).isZero();
        // 99 // 32 = 3 full batches; the short one is left out.
        assertThat(result.outLines().stream().filter(line -> line.startsWith("3/3 [====")))
                .hasSize(1);
        assertThat(result.out()).doesNotContain("Train on");
        Cli.Result answer = Cli.run(
                "first-network",
                "predict",
                "-i",
                pictures.resolve("cats/0.png"),
                "-m",
                folder.resolve("vgg.model"),
                "-l",
                folder.resolve("vgg_lb.json"),
                "-w",
                64,
                "-e",
                64,
                "-o",
                folder.resolve("cat.png"));
        assertThat(answer.err()).isEmpty();
        assertThat(answer.outLines().get(1)).matches("(cats|dogs|panda): \\d+\\.\\d\\d%");
        Cli.Result flat = Cli.run(
                "first-network",
                "predict",
                "-i",
                pictures.resolve("cats/0.png"),
                "-m",
                folder.resolve("vgg.model"),
                "-l",
                folder.resolve("vgg_lb.json"),
                "-w",
                64,
                "-e",
                64,
                "-f",
                1);
        assertThat(flat.exitCode()).isEqualTo(2);
        assertThat(flat.err()).contains("without --flatten");
    }

    /** One column would do for two classes; here they are two like any others. */
    @Test
    void twoClassesNeedNothingElse() throws IOException {
        Path cards = folder.resolve("cards");
        TestData.pictures(cards, List.of("black", "red"), 24, 32, 32, 8);
        Path model = folder.resolve("cards.model");
        Path labels = folder.resolve("cards.json");
        Cli.Result result = Cli.run(
                "first-network",
                "train-simple-nn",
                "-d",
                cards,
                "-m",
                model,
                "-l",
                labels,
                "-p",
                folder.resolve("cards.png"),
                "--epochs",
                12,
                "--json");
        assertThat(result.err()).isEmpty();
        assertThat(result.json().get("test_images").asInt()).isEqualTo(12);
        assertThat(result.json().get("test_top1").asDouble()).isGreaterThan(0.8);
        assertThat(Files.readString(labels)).isEqualTo("[\"black\",\"red\"]\n");
        Cli.Result answer = Cli.run(
                "first-network",
                "predict",
                "-i",
                cards.resolve("red/5.png"),
                "-m",
                model,
                "-l",
                labels,
                "-w",
                32,
                "-e",
                32,
                "-f",
                1,
                "-o",
                folder.resolve("red.png"));
        assertThat(answer.err()).isEmpty();
        assertThat(answer.outLines().get(1)).matches("red: \\d+\\.\\d\\d%");
    }

    @ParameterizedTest
    @ValueSource(strings = {"train-simple-nn", "train-vgg"})
    void trainersNeedAllFourOptions(String program) {
        for (String missing : List.of("--dataset", "--model", "--label-bin", "--plot")) {
            List<String> options = List.of("--dataset", "--model", "--label-bin", "--plot").stream()
                    .filter(option -> !option.equals(missing))
                    .toList();
            Cli.Result result =
                    Cli.run("first-network", program, options.get(0), "x", options.get(1), "x", options.get(2), "x");
            assertThat(result.exitCode()).isEqualTo(2);
            assertThat(result.err()).contains("Missing required option: '" + missing);
        }
    }

    @Test
    void missingFolderAndEmptyClassAreNamed() throws IOException {
        Cli.Result missing = Cli.run(
                "first-network",
                "train-vgg",
                "-d",
                folder.resolve("nothing"),
                "-m",
                folder.resolve("x.model"),
                "-l",
                folder.resolve("x.json"),
                "-p",
                folder.resolve("x.png"));
        assertThat(missing.exitCode()).isEqualTo(1);
        assertThat(missing.errLines())
                .containsExactly("tenon first-network train-vgg: image folder " + folder.resolve("nothing")
                        + ": there is no such folder");
        assertThat(folder.resolve("x.model.work")).doesNotExist();

        Path broken = folder.resolve("broken");
        TestData.pictures(broken, List.of("a"), 2, 8, 8, 1);
        Files.createDirectories(broken.resolve("b"));
        Cli.Result empty = Cli.run(
                "first-network",
                "train-vgg",
                "-d",
                broken,
                "-m",
                folder.resolve("x.model"),
                "-l",
                folder.resolve("x.json"),
                "-p",
                folder.resolve("x.png"));
        assertThat(empty.exitCode()).isEqualTo(1);
        assertThat(empty.err()).contains("class folder 'b' holds no image files");
    }

    @Test
    void ratesAndStepsAreTheTutorials() {
        Schedule vgg = Program.VGG.scheduleSpec().schedule(70, 75);
        assertThat(vgg.rate(0)).isEqualTo(0.01);
        assertThat(vgg.rate(70)).isCloseTo(0.0099075, within(5e-8));
        assertThat(vgg.rate(1750)).isCloseTo(0.0081081, within(5e-8));
        assertThat(vgg.rate(5250)).isCloseTo(0.0058824, within(5e-8));
        Schedule dense = Program.SIMPLE_NN.scheduleSpec().schedule(71, 75);
        assertThat(dense.rate(5324)).isEqualTo(0.01);
        for (Program program : List.of(Program.SIMPLE_NN, Program.VGG)) {
            assertThat(program.optimizer()).isEqualTo(new OptimizerSpec(OptimizerSpec.Kind.SGD, 0, false, 0));
        }
        assertThat(Program.SIMPLE_NN)
                .isEqualTo(new Program(
                        NetworkSpec.Kind.DENSE3,
                        32,
                        ScheduleSpec.Kind.CONSTANT,
                        Augmentation.NONE,
                        false,
                        "Simple NN"));
        assertThat(Program.VGG)
                .isEqualTo(new Program(
                        NetworkSpec.Kind.SMALLVGG,
                        64,
                        ScheduleSpec.Kind.TIME_DECAY,
                        Augmentation.AFFINE,
                        true,
                        "SmallVGGNet"));
        assertThat(Program.TEST_SHARE).isEqualTo(0.25);
        assertThat(Program.EPOCHS).isEqualTo(75);
        assertThat(Program.BATCH_SIZE).isEqualTo(32);
    }

    @Test
    void earlyStoppingEndsWhenAccuracyStands() throws IOException {
        Path data = folder.resolve("mnist");
        TestData.idx(
                data.resolve("train-images-idx3-ubyte.gz"),
                data.resolve("train-labels-idx1-ubyte.gz"),
                1000,
                28,
                28,
                10,
                3);
        Path plot = folder.resolve("early.png");
        Cli.Result result = Cli.run(
                "first-network",
                "early-stopping",
                "--data",
                data,
                "--output",
                folder.resolve("early"),
                "--plot",
                plot,
                "--restore-best",
                "--json");
        assertThat(result.err()).isEmpty();
        assertThat(result.exitCode()).isZero();
        assertThat(result.outLines()).contains("Train on 800 samples, validate on 200 samples", "Epoch 1/25");
        JsonNode config = new ObjectMapper()
                .readTree(folder.resolve("early/run.json").toFile())
                .get("config");
        // The last fifth validates.
        assertThat(config.at("/data/train/from").asInt()).isZero();
        assertThat(config.at("/data/train/to").asInt()).isEqualTo(800);
        assertThat(config.at("/data/validation/from").asInt()).isEqualTo(800);
        assertThat(config.at("/data/validation/to").asInt()).isEqualTo(1000);
        assertThat(config.get("batchSize").asInt()).isEqualTo(200);
        int epochs = result.json().get("epochs").asInt();
        int best = result.json().get("best_epoch").asInt();
        // Once every picture is right, accuracy cannot rise: patience 2 ends the run two epochs after the best.
        assertThat(epochs).isLessThan(25).isEqualTo(best + 2);
        assertThat(result.json().get("stopped_epoch").asInt()).isEqualTo(epochs - 1);
        assertThat(result.json().get("checkpoint").asText()).contains("checkpoint-" + best + "-");
        assertThat(plot).isRegularFile();
    }

    private static Prediction guess(Path picture) throws IOException {
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("model", backend)) {
            return SavedModel.read(folder.resolve("simple_nn.model"))
                    .guess(ImageCodec.read(picture), 3)
                    .getFirst();
        }
    }

    private static Cli.Result train(String program, String name, int epochs) {
        return Cli.run(
                "first-network",
                program,
                "-d",
                pictures,
                "-m",
                folder.resolve(name + ".model"),
                "-l",
                folder.resolve(name + "_lb.json"),
                "-p",
                folder.resolve(name + "_plot.png"),
                "--epochs",
                epochs,
                "--json");
    }

    private static boolean isRed(BufferedImage picture) {
        for (int y = 0; y < picture.getHeight(); y++) {
            for (int x = 0; x < picture.getWidth(); x++) {
                Color color = new Color(picture.getRGB(x, y));
                if (color.getRed() > 250 && color.getGreen() < 5 && color.getBlue() < 5) {
                    return true;
                }
            }
        }
        return false;
    }
}
