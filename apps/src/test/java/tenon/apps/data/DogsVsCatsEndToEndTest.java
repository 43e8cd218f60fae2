package tenon.apps.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.apps.networks.ResNet;
import tenon.apps.pretrained.NpzArchive;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.NetworkVariant;
import tenon.engine.Generator;
import tenon.engine.Scope;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.io.image.Filter;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.image.Resize;
import tenon.io.record.FeatureTable;
import tenon.io.record.Records;
import tenon.io.record.Sample;
import tenon.layers.Module;

/** Kaggle's layout, drawn, goes through the commands of the chapter's two experiments. */
class DogsVsCatsEndToEndTest {
    private static final int PER_CLASS = 30;

    @TempDir
    private static Path folder;

    private static Path set;

    @BeforeAll
    static void draw() {
        set = folder.resolve("set");
        succeed(
                "synth",
                "dogsvscats",
                "--per-class",
                PER_CLASS,
                "--size",
                "120x90",
                "--mixed-sizes",
                "--seed",
                3,
                "--out",
                set);
    }

    private static Cli.Result succeed(Object... arguments) {
        Cli.Result result = Cli.run(arguments);
        assertThat(result.err()).isEmpty();
        assertThat(result.exitCode()).isZero();
        return result;
    }

    @Test
    void alexNetFromTheArchiveToItsAccuracy() throws IOException {
        Path records = folder.resolve("dogs");
        Cli.Result built = succeed("build", "dogs-vs-cats", set, "--crop", "72x72", "--out", records, "--json");
        assertThat(built.json().get("built").asInt()).isEqualTo(2 * PER_CLASS);
        Set<String> keys = new TreeSet<>();
        double[] sums = new double[3];
        for (String split : List.of("train", "val", "test")) {
            try (Records file = Records.open(records.resolve(split + ".trec"))) {
                int count = split.equals("train") ? 48 : 6;
                assertThat(file.sampleCount()).isEqualTo(count);
                assertThat(file.schema().classNames()).containsExactly("cat", "dog");
                int dogs = 0;
                for (int i = 0; i < count; i++) {
                    assertThat(file.key(i)).startsWith(file.classIndex(i) == 0 ? "cat." : "dog.");
                    keys.add(file.key(i));
                    dogs += file.classIndex(i);
                    Sample sample = file.read(i);
                    byte[] pixels = sample.image();
                    assertThat(pixels).hasSize(72 * 72 * 3);
                    for (int p = 0; split.equals("train") && p < pixels.length; p++) {
                        sums[p % 3] += pixels[p] & 0xFF;
                    }
                }
                assertThat(dogs).as(split).isEqualTo(count / 2);
            }
        }
        assertThat(keys).hasSize(2 * PER_CLASS);
        JsonNode means = new ObjectMapper()
                .readTree(records.resolve("dogs_vs_cats_mean.json").toFile());
        assertThat(means).hasSize(3);
        for (int c = 0; c < 3; c++) {
            double mean = means.get(List.of("R", "G", "B").get(c)).asDouble();
            assertThat(mean).isCloseTo(sums[c] / (48 * 72 * 72), within(1e-6));
            assertThat(built.json().at("/mean/" + List.of("R", "G", "B").get(c)).asDouble())
                    .isEqualTo(mean);
        }

        Path run = folder.resolve("run");
        Cli.Result trained = succeed(
                "train",
                "alexnet-dogs-cats",
                "--experiment",
                1,
                "--width-multiplier",
                0.125,
                "--size",
                "63x63x3",
                "--batch",
                20,
                "--epochs",
                3,
                "--data",
                records.resolve("train.trec"),
                "--val",
                records.resolve("val.trec"),
                "--output",
                run,
                "--json");
        assertThat(trained.out()).contains("Experiment alexnet-dogs-cats-1");
        assertThat(trained.json().get("experiment").asText()).isEqualTo("alexnet-dogs-cats-1");
        assertThat(trained.json().get("published_rank1").asDouble()).isCloseTo(0.9297, within(1e-9));
        JsonNode config =
                new ObjectMapper().readTree(run.resolve("run.json").toFile()).get("config");
        assertThat(config.get("augmentation").asText()).isEqualTo("DOGS_CATS");
        assertThat(config.at("/optimizer/weightDecay").asDouble()).isEqualTo(4e-4);
        assertThat(config.at("/data/normalization/means/0").floatValue())
                .isEqualTo((float) means.get("R").asDouble());
        try (var checkpoints = Files.list(run.resolve("checkpoints"))) {
            // Two updates of 20 pictures an epoch; the other eight are left out.
            assertThat(checkpoints.map(path -> path.getFileName().toString()).toList())
                    .anyMatch(name -> name.contains("6"));
        }
        Cli.Result evaluated =
                succeed("evaluate", run, "--data", records.resolve("test.trec"), "--crops", "1,10", "--json");
        assertThat(evaluated.json().get("samples").asInt()).isEqualTo(6);
        assertThat(evaluated.json().get("rank5").asDouble()).isEqualTo(1);
        assertThat(evaluated.json().at("/crops/0/crops").asInt()).isEqualTo(1);
        assertThat(evaluated.json().at("/crops/1/crops").asInt()).isEqualTo(10);
        assertThat(evaluated.out()).contains("6 pictures, 1 crop: rank-1 ", "6 pictures, 10 crops: rank-1 ");
    }

    /** The whole way; the weights are random, so that the features say less than ImageNet's. */
    @Test
    void featuresOfResNet50AndLogisticRegression() throws IOException {
        Path records = folder.resolve("whole");
        succeed("build", "dogs-vs-cats", set.resolve("train"), "--features", "--out", records);
        Path all = records.resolve("all.trec");
        try (Records file = Records.open(all)) {
            assertThat(file.sampleCount()).isEqualTo(2 * PER_CLASS);
            Image original = ImageCodec.read(Path.of(file.source(7)));
            assertThat(file.read(7).image())
                    .isEqualTo(Resize.exact(original, 224, 224, Filter.NEAREST).pixels());
            long changes = 0;
            for (int i = 1; i < file.sampleCount(); i++) {
                changes += file.classIndex(i) == file.classIndex(i - 1) ? 0 : 1;
            }
            // Shuffled: sorted by name there would be a single change.
            assertThat(changes).isGreaterThan(10);
        }
        assertThat(records.resolve("dogs_vs_cats_mean.json")).doesNotExist();

        Path weights = folder.resolve("resnet50.npz");
        NetworkSpec spec = NetworkSpec.of(
                NetworkSpec.Kind.RESNET50,
                3,
                NetworkVariant.ORIGINAL.withDesign(ResNet.Design.KERAS).withEpsilon(1.001e-5));
        Generator.current().manualSeed(5);
        try (Backend backend = CpuBackend.open(2);
                Scope _ = Scope.open("model", backend)) {
            Module network = spec.build();
            network.state().forEach((name, tensor) -> {
                // Statistics of 0 and 1 are not those of random weights: sums of units must not grow.
                if (name.endsWith("bn3.gamma")) {
                    float[] small = new float[(int) tensor.elementCount()];
                    Arrays.fill(small, 0.1f);
                    tensor.upload(small);
                }
            });
            NpzArchive.write(weights, spec, "resnet-keras.map", network.state());
        }
        Path features = folder.resolve("features.trec");
        Cli.Result extracted =
                succeed("features", weights, "--network", "resnet50", "--data", all, "--out", features, "--json");
        assertThat(extracted.out()).contains("Names: keras", "Matched: 320 of 320 tensors");
        assertThat(extracted.json().get("features").asInt()).isEqualTo(2048);
        FeatureTable table = FeatureTable.read(List.of(features));
        assertThat(table.rows()).isEqualTo(2 * PER_CLASS);
        assertThat(table.classNames()).containsExactly("cat", "dog");

        Path classifier = folder.resolve("dogs.safetensors");
        Cli.Result fitted =
                succeed("logreg", features, "--experiment", "resnet50-features-1", "--out", classifier, "--json");
        JsonNode json = fitted.json();
        assertThat(json.get("candidates")).hasSize(5);
        assertThat(json.at("/candidates/0/folds")).hasSize(3);
        assertThat(json.get("rows").asInt()).isEqualTo(15);
        assertThat(json.get("squared_norm").asDouble()).isPositive();
        assertThat(json.get("published").asDouble()).isEqualTo(98.69);
        assertThat(fitted.out()).contains("cat", "dog", "Published (resnet50-features-1): C = 0.001, 98.69 %");
        // The last quarter of the file, in its order.
        int dogs = 0;
        for (int row = 45; row < 60; row++) {
            dogs += table.labels()[row];
        }
        assertThat(json.at("/classes/1/support").asInt()).isEqualTo(dogs);
        assertThat(json.get("accuracy").asDouble()).isGreaterThan(0.6);
    }

    @Test
    void otherPicturesAreRefused() throws IOException {
        Path other = Files.createDirectories(folder.resolve("other"));
        Cli.Result none = Cli.run("build", "dogs-vs-cats", other, "--out", folder.resolve("x"));
        assertThat(none.exitCode()).isEqualTo(1);
        assertThat(none.err()).contains("no image files in it whose names begin with their class and a dot");
        Files.copy(set.resolve("train/cat.0.jpg"), other.resolve("1.jpg"));
        assertThat(Cli.run("build", "dogs-vs-cats", other, "--out", folder.resolve("x"))
                        .err())
                .contains("found=1 others, such as " + other.resolve("1.jpg"));
        Files.copy(set.resolve("train/cat.0.jpg"), other.resolve("cow.0.jpg"));
        assertThat(Cli.run("build", "dogs-vs-cats", other, "--out", folder.resolve("x"))
                        .err())
                .contains("classes in the names of files must be [cat, dog]: found=[cow]");
        Cli.Result folders = Cli.run(
                "build", "folder", other, "--classes-from", "file-name", "--out", folder.resolve("cows"), "--json");
        assertThat(folders.err()).contains("1.jpg: has no class in its name");
        assertThat(folders.json().get("built").asInt()).isEqualTo(1);
        assertThat(folders.json().get("skipped").asInt()).isEqualTo(1);
    }
}
