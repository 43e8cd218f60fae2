package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.apps.TestData;
import tenon.engine.Generator;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.io.data.Normalization;
import tenon.io.record.Label;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;

/** evaluate, held against loops over pictures and crops on the reference back-end. Weights are random; inputs are large, so that probabilities differ. */
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

    @BeforeAll
    static void write() throws IOException {
        model = folder.resolve("net.model");
        records = folder.resolve("test.trec");
        try (Backend backend = ReferenceBackend.open();
                Scope _ = Scope.open("model", backend)) {
            Generator.current().manualSeed(3);
            NetworkSpec spec = new NetworkSpec(NetworkSpec.Kind.SMALLVGG, INPUT, INPUT, 3, CLASSES.size(), 0.1);
            SavedModel.write(
                    model,
                    new Classifier(
                            spec,
                            spec.build(),
                            new Normalization(new float[] {120, 110, 100}, new float[] {0.5f, 0.6f, 0.7f}),
                            Augmentation.ALEXNET,
                            CLASSES));
        }
        Random random = new Random(5);
        try (RecordWriter writer =
                RecordWriter.create(records, RecordSchema.rawClasses("test", HEIGHT, WIDTH, 3, CLASSES))) {
            for (int i = 0; i < COUNT; i++) {
                random.nextBytes(PICTURES[i]);
                writer.add(PICTURES[i], Label.ofClass(label(i)), "key" + i, "source" + i);
            }
            writer.commit();
        }
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
                    .contains(String.format("rank-1 %.2f %%", 100 * expected.rank1));
        }
        assertThat(losses[0]).isNotEqualTo(losses[1]);
        assertThat(json.get("rank1")).isEqualTo(json.get("crops").get(2).get("rank1"));
        assertThat(json.get("loss")).isEqualTo(json.get("crops").get(2).get("loss"));
    }

    private record Expected(double rank1, double rank5, double loss, double lossOfMeanLogits) {}

    private static Expected expected(int crops) throws IOException {
        int bottom = HEIGHT - INPUT;
        int right = WIDTH - INPUT;
        int[][] places = {{0, 0}, {0, right}, {bottom, right}, {bottom, 0}, {bottom / 2, right / 2}};
        try (Backend backend = ReferenceBackend.open();
                Scope _ = Scope.open("model", backend);
                var _ = GradMode.noGrad()) {
            Classifier classifier = SavedModel.read(model);
            classifier.network().eval();
            int rank1 = 0;
            int rank5 = 0;
            double loss = 0;
            double lossOfMeanLogits = 0;
            for (int i = 0; i < COUNT; i++) {
                double[] mean = new double[CLASSES.size()];
                double[] meanLogits = new double[CLASSES.size()];
                for (int view = 0; view < crops; view++) {
                    int[] place = crops == 1 ? places[4] : places[view % 5];
                    double[] logits = logits(classifier, PICTURES[i], place[0], place[1], view >= 5);
                    double[] probabilities = softmax(logits);
                    for (int c = 0; c < mean.length; c++) {
                        mean[c] += probabilities[c] / crops;
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
    }

    private static double[] logits(Classifier classifier, byte[] picture, int top, int left, boolean mirrored) {
        float[] means = {120, 110, 100};
        float[] deviations = {0.5f, 0.6f, 0.7f};
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
