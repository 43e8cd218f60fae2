package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.apps.TestData;
import tenon.apps.TestModels;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.io.record.Label;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;
import tenon.optim.metrics.ConfusionMatrix;

/** evaluate, held against loops over pictures and crops on the reference back-end. */
class EvaluateCommandTest {
    private static final int COUNT = 23;
    private static final int HEIGHT = 14;
    private static final int WIDTH = 18;
    private static final int INPUT = 12;
    private static final List<String> CLASSES = List.of("a", "b", "c", "d", "e", "f", "g");

    @TempDir
    private static Path folder;

    private static Path model;
    private static Path records;
    private static final byte[][] PICTURES = new byte[COUNT][HEIGHT * WIDTH * 3];
    /** Logits by picture, view and class. */
    private static final double[][][] TEN_VIEWS = new double[COUNT][10][];

    @BeforeAll
    static void write() throws IOException {
        model = folder.resolve("net.model");
        records = folder.resolve("test.trec");
        TestModels.write(model, NetworkSpec.Kind.SMALLVGG, INPUT, Augmentation.ALEXNET, CLASSES);
        Random random = new Random(5);
        try (RecordWriter writer =
                RecordWriter.create(records, RecordSchema.rawClasses("test", HEIGHT, WIDTH, 3, CLASSES))) {
            for (int i = 0; i < COUNT; i++) {
                random.nextBytes(PICTURES[i]);
                writer.add(PICTURES[i], Label.ofClass(label(i)), "key" + i, "source" + i);
            }
            writer.commit();
        }
        computeViews();
    }

    private static int label(int picture) {
        return picture * 3 % CLASSES.size();
    }

    @Test
    void tenCropsAreTheMeanOfTheProbabilitiesOfCornersCentreAndTheirMirrorImages() throws IOException {
        Cli.Result result = Cli.run("evaluate", model, "--data", records, "--crops", "1,5,10", "--batch", 30, "--json");
        assertThat(result.err()).isEmpty();
        assertThat(result.exitCode()).isZero();
        JsonNode json = result.json();
        assertThat(json.get("samples").asInt()).isEqualTo(COUNT);
        double[] losses = new double[3];
        for (int i = 0; i < 3; i++) {
            int crops = new int[] {1, 5, 10}[i];
            Expected expected = expected(crops);
            JsonNode measured = json.get("crops").get(i);
            assertThat(measured.get("crops").asInt()).isEqualTo(crops);
            assertThat(measured.get("rank1").asDouble()).isEqualTo(expected.rank1);
            assertThat(measured.get("rank5").asDouble()).isEqualTo(expected.rank5);
            assertThat(measured.get("loss").asDouble()).isCloseTo(expected.loss, Offset.offset(1e-4));
            losses[i] = expected.loss;
            // Averaged logits would be something else.
            if (crops > 1) {
                assertThat(Math.abs(expected.lossOfMeanLogits - expected.loss)).isGreaterThan(1e-3);
            }
            assertThat(result.outLines().stream().filter(line -> line.startsWith(COUNT + " pictures, " + crops + " ")))
                    .singleElement()
                    .asString()
                    .contains(String.format(
                            "rank-1 %.2f %%, rank-5 %.2f %%", 100 * expected.rank1, 100 * expected.rank5));
        }
        assertThat(losses[0]).isNotEqualTo(losses[1]);
        assertThat(json.get("rank1")).isEqualTo(json.get("crops").get(2).get("rank1"));
        assertThat(json.get("loss")).isEqualTo(json.get("crops").get(2).get("loss"));
    }

    @Test
    void plainPicturesLookTheSameInEveryCrop() throws IOException {
        Path plain = folder.resolve("plain.trec");
        try (RecordWriter writer =
                RecordWriter.create(plain, RecordSchema.rawClasses("test", HEIGHT, WIDTH, 3, CLASSES))) {
            for (int i = 0; i < CLASSES.size(); i++) {
                byte[] pixels = new byte[HEIGHT * WIDTH * 3];
                for (int p = 0; p < pixels.length; p++) {
                    pixels[p] = (byte) (30 * i + 20 * (p % 3));
                }
                writer.add(pixels, Label.ofClass(i), "key" + i, "source" + i);
            }
            writer.commit();
        }
        JsonNode crops = Cli.run("evaluate", model, "--data", plain, "--crops", "1,5,10", "--json")
                .json()
                .get("crops");
        assertThat(crops).hasSize(3);
        for (JsonNode each : crops) {
            assertThat(each.get("rank1")).isEqualTo(crops.get(0).get("rank1"));
            assertThat(each.get("loss").asDouble())
                    .isCloseTo(crops.get(0).get("loss").asDouble(), Offset.offset(1e-5));
        }
    }

    private record Expected(double rank1, double rank5, double loss, double lossOfMeanLogits) {}

    private static Expected expected(int crops) {
        double[][][] all = viewsOfAll(crops);
        int rank1 = 0;
        int rank5 = 0;
        double loss = 0;
        double lossOfMeanLogits = 0;
        for (int i = 0; i < COUNT; i++) {
            double[] mean = meanProbabilities(all[i]);
            double[] meanLogits = new double[CLASSES.size()];
            for (double[] logits : all[i]) {
                for (int c = 0; c < meanLogits.length; c++) {
                    meanLogits[c] += logits[c] / crops;
                }
            }
            int truth = label(i);
            int better = 0;
            for (double probability : mean) {
                better += probability > mean[truth] ? 1 : 0;
            }
            rank1 += better == 0 ? 1 : 0;
            rank5 += better < 5 ? 1 : 0;
            loss -= Math.log(mean[truth]) / COUNT;
            lossOfMeanLogits -= Math.log(softmax(meanLogits)[truth]) / COUNT;
        }
        return new Expected((double) rank1 / COUNT, (double) rank5 / COUNT, loss, lossOfMeanLogits);
    }

    private static double[] meanProbabilities(double[][] views) {
        double[] mean = new double[CLASSES.size()];
        for (double[] logits : views) {
            double[] probabilities = softmax(logits);
            for (int c = 0; c < mean.length; c++) {
                mean[c] += probabilities[c] / views.length;
            }
        }
        return mean;
    }

    /** Logits by picture, view and class; one view is the centre. */
    private static double[][][] viewsOfAll(int crops) {
        double[][][] all = new double[COUNT][][];
        for (int i = 0; i < COUNT; i++) {
            all[i] = crops == 1 ? new double[][] {TEN_VIEWS[i][4]} : Arrays.copyOf(TEN_VIEWS[i], crops);
        }
        return all;
    }

    private static void computeViews() throws IOException {
        int bottom = HEIGHT - INPUT;
        int right = WIDTH - INPUT;
        int[][] places = {{0, 0}, {0, right}, {bottom, right}, {bottom, 0}, {bottom / 2, right / 2}};
        try (Backend backend = ReferenceBackend.open();
                Scope _ = Scope.open("model", backend);
                var _ = GradMode.noGrad()) {
            Classifier classifier = SavedModel.read(model);
            classifier.network().eval();
            for (int i = 0; i < COUNT; i++) {
                for (int view = 0; view < 10; view++) {
                    int[] place = places[view % 5];
                    TEN_VIEWS[i][view] = logits(classifier, PICTURES[i], place[0], place[1], view >= 5);
                }
            }
        }
    }

    private static double[] logits(Classifier classifier, byte[] picture, int top, int left, boolean mirrored) {
        float[] means = TestModels.NORMALIZATION.means();
        float[] deviations = TestModels.NORMALIZATION.stds();
        float[] values = new float[INPUT * INPUT * 3];
        for (int y = 0; y < INPUT; y++) {
            for (int x = 0; x < INPUT; x++) {
                int from = ((top + y) * WIDTH + left + (mirrored ? INPUT - 1 - x : x)) * 3;
                for (int c = 0; c < 3; c++) {
                    values[(y * INPUT + x) * 3 + c] = ((picture[from + c] & 0xFF) - means[c]) / deviations[c];
                }
            }
        }
        try (Scope _ = Scope.open("view")) {
            float[] logits = classifier
                    .network()
                    .apply(Tensor.of(values, 1, INPUT, INPUT, 3))
                    .toFloatArray();
            double[] wide = new double[logits.length];
            for (int c = 0; c < wide.length; c++) {
                wide[c] = logits[c];
            }
            return wide;
        }
    }

    private static double[] softmax(double[] logits) {
        double sum = 0;
        double[] result = new double[logits.length];
        for (int c = 0; c < logits.length; c++) {
            result[c] = Math.exp(logits[c]);
            sum += result[c];
        }
        for (int c = 0; c < logits.length; c++) {
            result[c] /= sum;
        }
        return result;
    }

    @Test
    void theTableHoldsEveryPictureWithItsFiveLikeliestClasses() throws IOException {
        Path table = folder.resolve("deep/table.csv");
        Cli.Result result = Cli.run("evaluate", model, "--data", records, "--predictions", table, "--json");
        assertThat(result.err()).isEmpty();
        assertThat(result.json().get("predictions").asText()).isEqualTo(table.toString());
        List<String> lines = Files.readAllLines(table);
        assertThat(lines.getFirst())
                .isEqualTo("key,true,class-1,probability-1,class-2,probability-2,class-3,probability-3,"
                        + "class-4,probability-4,class-5,probability-5");
        assertThat(lines).hasSize(1 + COUNT);
        double[][][] views = viewsOfAll(1);
        for (int i = 0; i < COUNT; i++) {
            List<String> cells = List.of(lines.get(1 + i).split(","));
            assertThat(cells).hasSize(12).startsWith("key" + i, CLASSES.get(label(i)));
            double[] probabilities = softmax(views[i][0]);
            Integer[] order = {0, 1, 2, 3, 4, 5, 6};
            Arrays.sort(order, Comparator.comparingDouble(c -> -probabilities[c]));
            for (int k = 0; k < 5; k++) {
                assertThat(cells.get(2 + 2 * k)).isEqualTo(CLASSES.get(order[k]));
                assertThat(Double.parseDouble(cells.get(3 + 2 * k)))
                        .isCloseTo(probabilities[order[k]], Offset.offset(1e-4));
            }
        }
    }

    @Test
    void theWorstMistakesAreThoseOfTheHighestLoss() throws IOException {
        Path sheet = folder.resolve("deep/mistakes.png");
        Cli.Result result =
                Cli.run("evaluate", model, "--data", records, "--mistakes", 4, "--mistakes-out", sheet, "--json");
        assertThat(result.err()).isEmpty();
        assertThat(result.json().get("mistakes").asText()).isEqualTo(sheet.toString());
        double[][][] views = viewsOfAll(1);
        int[] worst = IntStream.range(0, COUNT)
                .filter(i -> Arrays.stream(softmax(views[i][0])).max().orElseThrow() > softmax(views[i][0])[label(i)])
                .boxed()
                .sorted(Comparator.comparingDouble(i -> softmax(views[i][0])[label(i)]))
                .mapToInt(i -> i)
                .limit(4)
                .toArray();
        assertThat(worst).hasSize(4);
        BufferedImage drawn = ImageIO.read(sheet.toFile());
        // Pictures of 18×14 are enlarged seven times, in the middle of squares of 128; below are two lines.
        assertThat(List.of(drawn.getWidth(), drawn.getHeight())).containsExactly(10 + 2 * 138, 10 + 2 * 173);
        for (int i = 0; i < 4; i++) {
            int left = 10 + i % 2 * 138 + (128 - 7 * WIDTH) / 2;
            int top = 10 + i / 2 * 173 + (128 - 7 * HEIGHT) / 2;
            for (int p = 0; p < HEIGHT * WIDTH; p += 11) {
                int rgb = drawn.getRGB(left + 7 * (p % WIDTH) + 3, top + 7 * (p / WIDTH) + 3);
                byte[] picture = PICTURES[worst[i]];
                assertThat(rgb & 0xFFFFFF)
                        .isEqualTo((picture[3 * p] & 0xFF) << 16
                                | (picture[3 * p + 1] & 0xFF) << 8
                                | picture[3 * p + 2] & 0xFF);
            }
        }
    }

    @Test
    void theConfusionMatrixIsDrawnAndItsPairsAreListed() throws IOException {
        Path picture = folder.resolve("deep/confusion.svg");
        Cli.Result result = Cli.run("evaluate", model, "--data", records, "--confusion", picture, "--json");
        assertThat(result.err()).isEmpty();
        assertThat(result.out()).contains("Confusion:   " + picture);
        assertThat(result.json().get("confusion").asText()).isEqualTo(picture.toString());
        assertThat(Files.readString(picture).contains("<svg")).isTrue();
        double[][][] views = viewsOfAll(1);
        ConfusionMatrix matrix = new ConfusionMatrix(CLASSES.size());
        for (int i = 0; i < COUNT; i++) {
            double[] logits = views[i][0];
            int best = IntStream.range(0, logits.length)
                    .boxed()
                    .max(Comparator.comparingDouble(c -> logits[c]))
                    .orElseThrow();
            matrix.add(label(i), best);
        }
        JsonNode first = result.json().get("confusions").get(0);
        int truth = CLASSES.indexOf(first.get("truth").asText());
        int predicted = CLASSES.indexOf(first.get("predicted").asText());
        assertThat(truth).isNotEqualTo(predicted);
        assertThat(first.get("count").asLong()).isEqualTo(matrix.count(truth, predicted));
        assertThat(first.get("share").asDouble())
                .isEqualTo((double) matrix.count(truth, predicted) / matrix.actual(truth));
        for (int i = 0; i < CLASSES.size(); i++) {
            for (int j = 0; j < CLASSES.size(); j++) {
                assertThat(i == j || matrix.count(i, j) <= matrix.count(truth, predicted))
                        .isTrue();
            }
        }
        Cli.Result plain = Cli.run("evaluate", model, "--data", records, "--json");
        assertThat(plain.json().get("confusion").isNull()).isTrue();
        assertThat(plain.json().has("mistakes")).isFalse();
    }

    @Test
    void confusionsAreOrderedByCountThenByShare() {
        ConfusionMatrix matrix = new ConfusionMatrix(3);
        int[][] samples = {{0, 1}, {0, 1}, {0, 0}, {0, 0}, {1, 2}, {1, 2}, {1, 1}, {2, 0}, {2, 2}};
        for (int[] sample : samples) {
            matrix.add(sample[0], sample[1]);
        }
        assertThat(Confusion.most(matrix, List.of("a", "b", "c"), 5))
                .containsExactly(
                        new Confusion("b", "c", 2, 2.0 / 3),
                        new Confusion("a", "b", 2, 0.5),
                        new Confusion("c", "a", 1, 0.5));
        assertThat(Confusion.most(matrix, List.of("a", "b", "c"), 1)).hasSize(1);
    }

    @Test
    void wrongOptionsAreRefused() {
        assertThat(Cli.run("evaluate", model, "--data", records, "--confusion", "c.jpg")
                        .err())
                .contains("--confusion must end in .png or .svg: c.jpg");
        assertThat(Cli.run("evaluate", model, "--data", records, "--mistakes", 0)
                        .err())
                .contains("--mistakes must lie in [1, 1000]: 0");
        assertThat(Cli.run("evaluate", model, "--data", records, "--mistakes-out", "m.png")
                        .exitCode())
                .isEqualTo(2);
        Cli.Result noData = Cli.run("evaluate", model);
        assertThat(noData.exitCode()).isEqualTo(2);
        assertThat(noData.err()).contains("Missing required option: '--data=");
        Cli.Result noModel = Cli.run("evaluate", "--data", records);
        assertThat(noModel.exitCode()).isEqualTo(2);
        assertThat(noModel.err()).contains("Missing required parameter: ");
    }

    @Test
    void picturesOfAFolderAreScaledFirst() throws IOException {
        Path pictures = folder.resolve("pictures");
        TestData.pictures(pictures, CLASSES, 2, 20, 10, 4);
        Cli.Result result = Cli.run("evaluate", model, "--data", pictures, "--crops", 10, "--resize", 14, "--json");
        assertThat(result.err()).isEmpty();
        assertThat(result.json().get("samples").asInt()).isEqualTo(14);
        Cli.Result small = Cli.run("evaluate", model, "--data", pictures, "--crops", 10, "--resize", 11);
        assertThat(small.exitCode()).isEqualTo(2);
        assertThat(small.err()).contains("--resize must be at least the network's input, 12x12: 11");
    }

    @Test
    void picturesThatLeaveNoRoomToCropAreRefused() throws IOException {
        Path tight = folder.resolve("tight.trec");
        try (RecordWriter writer =
                RecordWriter.create(tight, RecordSchema.rawClasses("test", INPUT, INPUT, 3, CLASSES))) {
            writer.add(new byte[INPUT * INPUT * 3], Label.ofClass(0), "key", "source");
            writer.commit();
        }
        Cli.Result result = Cli.run("evaluate", model, "--data", tight, "--crops", 10);
        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.err()).contains("--crops 10 needs pictures larger than the network's input, 12x12");
        assertThat(Cli.run("evaluate", model, "--data", tight, "--crops", 10, "--resize", 14)
                        .exitCode())
                .isZero();
        assertThat(Cli.run("evaluate", model, "--data", tight, "--crops", 3).err())
                .contains("--crops must be 1, 5 or 10: 3");
    }
}
