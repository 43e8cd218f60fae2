package tenon.apps.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.apps.training.Augmentation;
import tenon.apps.training.Classifier;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.SavedModel;
import tenon.engine.Generator;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.ops.Dense;
import tenon.io.data.Normalization;
import tenon.io.record.FeatureTable;
import tenon.io.record.Label;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;
import tenon.layers.Module;
import tenon.optim.logistic.LogisticModel;

/** From pictures to features to a classifier, by command. */
class FeaturesCommandTest {
    private static final NetworkSpec SPEC = new NetworkSpec(NetworkSpec.Kind.MINIVGG, 16, 16, 3, 5, 0.1);
    private static final int PICTURES = 60;

    @TempDir
    private Path folder;

    private Path model;
    private Path pictures;

    @BeforeEach
    void prepare() throws IOException {
        model = folder.resolve("net.model");
        pictures = folder.resolve("pictures.trec");
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("model", backend)) {
            Generator.current().manualSeed(3);
            Module network = SPEC.build();
            SavedModel.write(
                    model,
                    new Classifier(
                            SPEC, network, Normalization.UNIT, Augmentation.NONE, List.of("a", "b", "c", "d", "e")));
        }
        try (RecordWriter writer =
                RecordWriter.create(pictures, RecordSchema.rawClasses("train", 16, 16, 3, List.of("red", "green")))) {
            for (int i = 0; i < PICTURES; i++) {
                writer.add(picture(i), Label.ofClass(i % 2), "p" + i, "");
            }
            writer.commit();
        }
    }

    /** Noise in which one colour is stronger. */
    private static byte[] picture(int number) {
        byte[] pixels = new byte[16 * 16 * 3];
        for (int i = 0; i < pixels.length; i++) {
            int noise = (i * 7919 + number * 104_729) % 97;
            pixels[i] = (byte) (noise + (i % 3 == number % 2 ? 120 : 20));
        }
        return pixels;
    }

    private Path features(String name, Object... more) {
        Path out = folder.resolve(name);
        List<Object> arguments = new java.util.ArrayList<>(
                List.of("features", model, "--data", pictures, "--out", out, "--batch", 16, "--json"));
        arguments.addAll(List.of(more));
        Cli.Result result = Cli.run(arguments.toArray());
        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(result.json().get("rows").asInt()).isEqualTo(PICTURES);
        return out;
    }

    /** The features are what the last dense layer gets: that layer applied to them gives the network's logits. */
    @Test
    void featuresAreTheInputsOfTheLastDenseLayer() throws IOException {
        FeatureTable table = FeatureTable.read(List.of(features("features.trec")));
        assertThat(table.rows()).isEqualTo(PICTURES);
        assertThat(table.width()).isEqualTo(512);
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("model", backend);
                var _ = GradMode.noGrad()) {
            Classifier loaded = SavedModel.read(model);
            tenon.layers.Dense[] last = new tenon.layers.Dense[1];
            loaded.network().walk(module -> last[0] = module instanceof tenon.layers.Dense dense ? dense : last[0]);
            Tensor rows = Tensor.of(table.values(), PICTURES, 512);
            float[] logits = Dense.dense(
                            rows, last[0].weight().value(), last[0].bias().value())
                    .toFloatArray();
            loaded.network().eval();
            for (int i : new int[] {0, 1, 17, PICTURES - 1}) {
                float[] pixels = new float[16 * 16 * 3];
                byte[] bytes = picture(i);
                for (int j = 0; j < pixels.length; j++) {
                    pixels[j] = (bytes[j] & 0xFF) / 255f;
                }
                float[] direct =
                        loaded.network().apply(Tensor.of(pixels, 1, 16, 16, 3)).toFloatArray();
                for (int c = 0; c < 5; c++) {
                    assertThat(logits[i * 5 + c]).isEqualTo(direct[c], within(1e-4f));
                }
                assertThat(table.labels()[i]).isEqualTo(i % 2);
            }
        }
    }

    @Test
    void aMapIsAveragedOrKept() {
        String layer = Cli.run(
                        "features", model, "--data", pictures, "--out", folder.resolve("x"), "--layer", "nothing")
                .err();
        assertThat(layer).contains("--layer names no layer of the network: nothing (there are: ");
        String name = layer.substring(layer.indexOf("there are: ") + 11).split("[,)]")[0];
        FeatureTable average = FeatureTable.read(List.of(features("average.trec", "--layer", name)));
        FeatureTable flat = FeatureTable.read(List.of(features("flat.trec", "--layer", name, "--flatten")));
        int positions = flat.width() / average.width();
        assertThat(positions).isGreaterThan(1);
        for (int channel = 0; channel < average.width(); channel++) {
            double sum = 0;
            for (int at = 0; at < positions; at++) {
                sum += flat.values()[at * average.width() + channel];
            }
            assertThat((double) average.values()[channel]).isEqualTo(sum / positions, within(1e-4));
        }
    }

    @Test
    void aClassifierOnFeaturesTellsTheClassesApart() {
        Path table = features("features.trec");
        Path classifier = folder.resolve("classifier.safetensors");
        Cli.Result fit = Cli.run("logreg", table, "--out", classifier, "--c", "1,100", "--json");
        assertThat(fit.exitCode()).as(fit.err()).isZero();
        JsonNode json = fit.json();
        assertThat(json.get("candidates")).hasSize(2);
        assertThat(json.get("rows").asInt()).isEqualTo(15);
        assertThat(json.get("accuracy").asDouble()).isEqualTo(1.0);
        assertThat(json.get("converged").asBoolean()).isTrue();
        assertThat(fit.out()).contains("red").contains("green").contains("score: 1.0000 (15 of 15)");

        Cli.Result again = Cli.run("logreg", table, "--model", classifier, "--json");
        assertThat(again.exitCode()).as(again.err()).isZero();
        assertThat(again.json().get("accuracy").asDouble()).isEqualTo(1.0);
        assertThat(again.json().get("rows").asInt()).isEqualTo(PICTURES);
        assertThat(Cli.run("inspect", table, "--verify").exitCode()).isZero();
    }

    /** Equal calls write equal files; another number of threads may add in another order, and finds the same minimum. */
    @Test
    void aFitIsRepeatable() throws IOException {
        Path table = features("features.trec");
        Path first = fit(table, "first.safetensors", 2);
        assertThat(fit(table, "again.safetensors", 2)).hasSameBinaryContentAs(first);
        try (Backend backend = CpuBackend.open(1)) {
            LogisticModel two = LogisticFile.read(first, backend).model();
            LogisticModel one =
                    LogisticFile.read(fit(table, "one.safetensors", 1), backend).model();
            float largest = 0;
            float difference = 0;
            assertThat(one.weights()).hasDimensions(two.weights().length, two.features());
            for (int row = 0; row < two.weights().length; row++) {
                for (int i = 0; i < two.features(); i++) {
                    largest = Math.max(largest, Math.abs(two.weights()[row][i]));
                    difference = Math.max(difference, Math.abs(two.weights()[row][i] - one.weights()[row][i]));
                }
            }
            assertThat(largest).isPositive();
            assertThat(difference).isLessThanOrEqualTo(1e-3f * largest);
            assertThat(one.intercepts()).containsExactly(two.intercepts(), within(1e-3f * largest));
        }
    }

    private Path fit(Path table, String name, int threads) {
        Path out = folder.resolve(name);
        Cli.Result result = Cli.run("logreg", table, "--c", 1, "--threads", threads, "--out", out);
        assertThat(result.exitCode()).as(result.err()).isZero();
        return out;
    }

    /** Classes alternate in the file, so its last rows are known; a weaker penalty makes larger weights. */
    @Test
    void theLastRowsAreHeldOutOnRequest() {
        Path table = features("features.trec");
        Cli.Result weak = Cli.run("logreg", table, "--in-order", "--test-share", 0.35, "--c", 1, "--json");
        assertThat(weak.exitCode()).as(weak.err()).isZero();
        assertThat(weak.json().get("rows").asInt()).isEqualTo(21);
        assertThat(weak.json().at("/classes/0/support").asInt()).isEqualTo(10);
        Cli.Result strong = Cli.run("logreg", table, "--in-order", "--c", 0.0001, "--json");
        assertThat(strong.json().get("rows").asInt()).isEqualTo(15);
        assertThat(strong.json().get("squared_norm").asDouble())
                .isLessThan(weak.json().get("squared_norm").asDouble());
        assertThat(weak.out()).contains(", |w|^2 = ");
        Cli.Result repeated = Cli.run("logreg", table, "--experiment", "resnet50-features-1", "--c", 1, "--json");
        assertThat(repeated.json().get("candidates")).hasSize(1);
        assertThat(Cli.run("logreg", table, "--experiment", "x").err())
                .contains("there is no experiment x with features: it is one of [resnet50-features-1]");
        assertThat(Cli.run("logreg", table, "--in-order", "--test", table).exitCode())
                .isEqualTo(2);
    }

    @Test
    void badInputIsRefused() {
        Cli.Result notFeatures = Cli.run("logreg", pictures);
        assertThat(notFeatures.exitCode()).isEqualTo(1);
        assertThat(notFeatures.err()).contains("must hold raw-f32 rows").contains("./tenon features");
        assertThat(Cli.run("logreg", pictures, "--c", "0").exitCode()).isEqualTo(2);
        assertThat(Cli.run("logreg", pictures, "--folds", 1).err()).contains("--folds must be at least 2: 1");
        Cli.Result noOut = Cli.run("features", model, "--data", pictures);
        assertThat(noOut.exitCode()).isEqualTo(2);
        assertThat(noOut.err()).contains("Missing required option: '--out=");
        assertThat(Cli.run("features", model, "--out", folder.resolve("none")).err())
                .contains("Missing required option: '--data=");
        Path table = features("features.trec");
        Cli.Result exists = Cli.run("features", model, "--data", pictures, "--out", table);
        assertThat(exists.exitCode()).isEqualTo(2);
        assertThat(exists.err()).contains("--out exists already");
        assertThat(Cli.run("train", "minivgg", "--data", table, "--epochs", 1, "--output", folder.resolve("run"))
                        .exitCode())
                .isNotZero();
        Cli.Result picture = Cli.run("inspect", table, "--sample", 0);
        assertThat(picture.exitCode()).isEqualTo(2);
        assertThat(picture.err()).contains("holds features");
    }
}
