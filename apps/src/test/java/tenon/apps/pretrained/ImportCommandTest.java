package tenon.apps.pretrained;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.apps.Cli;
import tenon.apps.training.Augmentation;
import tenon.apps.training.Classifier;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.NetworkVariant;
import tenon.apps.training.SavedModel;
import tenon.engine.Generator;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.io.data.Normalization;
import tenon.io.image.Image;
import tenon.layers.Module;

/** Models to other programs' files and back, by command. */
class ImportCommandTest {
    private static final Image PICTURE = picture();

    @TempDir
    private Path folder;

    private static Image picture() {
        byte[] pixels = new byte[90 * 70 * 3];
        new Random(3).nextBytes(pixels);
        return new Image(90, 70, 3, pixels);
    }

    /** Writes a model with random weights and statistics in the variant that a map is for; returns what it says to the picture. */
    private float[] write(Path model, NetworkSpec.Kind kind, String map, int side) throws IOException {
        return write(model, kind, map, side, 1);
    }

    private float[] write(Path model, NetworkSpec.Kind kind, String map, int side, double multiplier)
            throws IOException {
        NameMap names = NameMap.of(kind.toString()).stream()
                .filter(candidate -> candidate.toString().equals(map))
                .findFirst()
                .orElseThrow();
        NetworkSpec spec = PretrainedWeights.withVariant(
                new NetworkSpec(
                        kind, side, side, 3, 5, kind.defaultNormMomentum(), multiplier, NetworkVariant.ORIGINAL),
                MapSettings.of(names).variant());
        Generator.current().manualSeed(11);
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("model", backend);
                var _ = GradMode.noGrad()) {
            Module network = spec.build();
            Random random = new Random(5);
            network.state().forEach((name, tensor) -> {
                if (!name.endsWith("weight")) {
                    double low = name.endsWith("runningVariance") || name.endsWith("gamma") ? 0.5 : -0.5;
                    float[] values = new float[(int) tensor.elementCount()];
                    for (int i = 0; i < values.length; i++) {
                        values[i] = (float) (low + random.nextDouble());
                    }
                    tensor.upload(values);
                }
            });
            Classifier classifier = new Classifier(
                    spec,
                    network,
                    new Normalization(
                            new float[] {0.485f * 255, 0.456f * 255, 0.406f * 255},
                            new float[] {0.229f * 255, 0.224f * 255, 0.225f * 255}),
                    Augmentation.RESIZED_CROP,
                    List.of("a", "b", "c", "d", "e"));
            SavedModel.write(model, classifier);
            return classifier.probabilities(PICTURE);
        }
    }

    private static Classifier read(Path model) throws IOException {
        return SavedModel.read(model);
    }

    private static float[] probabilities(Path model) throws IOException {
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("model", backend)) {
            return read(model).probabilities(PICTURE);
        }
    }

    /** VGG16's first dense layer stands behind a map of 2×2, whose elements come in another order there. */
    @ParameterizedTest
    @CsvSource({
        "resnet18, RESNET18, torchvision, resnet-torchvision.map, 64, 0.25",
        "resnet50, RESNET50, timm, resnet-torchvision.map, 64, 0.25",
        "mobilenet-v2, MOBILENET_V2, torchvision, mobilenet-v2-torchvision.map, 64, 0.25",
        "mobilenet-v2, MOBILENET_V2, timm, mobilenet-v2-timm.map, 64, 0.25",
        "mobilenet-v1, MOBILENET_V1, timm, mobilenet-v1-timm.map, 64, 0.25",
        "squeezenet, SQUEEZENET, torchvision, squeezenet-torchvision.map, 227, 0.25",
        "vgg16, VGG16, torchvision, vgg16-torchvision.map, 64, 0.0625",
        "vgg16, VGG16, timm, vgg16-timm.map, 64, 0.0625"
    })
    void modelsComeBackFromPytorchsNames(
            String network, NetworkSpec.Kind kind, String names, String map, int side, double multiplier)
            throws IOException {
        Path model = folder.resolve("a.model");
        float[] expected = write(model, kind, map, side, multiplier);
        Path weights = folder.resolve("weights.safetensors");
        Cli.Result exported =
                Cli.run("export", model, "--to", "safetensors", "--names", names, "--out", weights, "--json");
        assertThat(exported.err()).isEmpty();
        assertThat(exported.json().get("names").asText()).isEqualTo(names);

        Path again = folder.resolve("b.model");
        Cli.Result imported = Cli.run(
                "import",
                network,
                weights,
                "--input",
                side + "x" + side + "x3",
                "--width-multiplier",
                multiplier,
                "--out",
                again,
                "--json");
        assertThat(imported.err()).isEmpty();
        JsonNode report = imported.json();
        assertThat(report.get("classes").asInt()).isEqualTo(5);
        assertThat(report.get("missing")).isEmpty();
        assertThat(report.get("leftOver")).isEmpty();
        assertThat(probabilities(again)).containsExactly(expected, within(0f));
    }

    @Test
    void ownFilesAndArchivesOfThemAreReadToo() throws IOException {
        Path model = folder.resolve("a.model");
        float[] expected = write(model, NetworkSpec.Kind.MINIVGG, "tenon.map", 8);
        Path again = folder.resolve("b.model");
        Cli.Result nothingSaid = Cli.run("import", "minivgg", model, "--input", "8x8x3", "--out", again);
        assertThat(nothingSaid.exitCode()).isEqualTo(2);
        assertThat(nothingSaid.err()).contains("do not tell how pictures were prepared", "--augment PRESET");

        Cli.Result imported =
                Cli.run("import", "minivgg", model, "--input", "8x8x3", "--augment", "resized-crop", "--out", again);
        assertThat(imported.err()).isEmpty();
        assertThat(imported.out()).contains("Names: tenon", "Matched: 32 of 32 tensors");
        assertThat(probabilities(again)).containsExactly(expected, within(0f));

        Path archive = folder.resolve("net.npz");
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("model", backend)) {
            NpzArchive.write(archive, read(model).network().state());
        }
        Cli.Result packed =
                Cli.run("import", "minivgg", archive, "--input", "8x8x3", "--augment", "resized-crop", "--out", again);
        assertThat(packed.err()).isEmpty();
        assertThat(probabilities(again)).containsExactly(expected, within(0f));
    }

    @Test
    void theClassifierIsOnlyLeftOutWhenAskedFor() throws IOException {
        Path model = folder.resolve("a.model");
        write(model, NetworkSpec.Kind.MINIVGG, "tenon.map", 8);
        Path start = folder.resolve("start.model");
        Object[] command = {
            "import",
            "minivgg",
            model,
            "--input",
            "8x8x3",
            "--augment",
            "none",
            "--classes",
            3,
            "--out",
            start,
            "--json"
        };
        Cli.Result refused = Cli.run(command);
        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.err()).contains("'fc2.weight' must have the shape [3, 512]", "--new-classifier");
        assertThat(start).doesNotExist();

        Object[] lenient = Arrays.copyOf(command, command.length + 1);
        lenient[command.length] = "--new-classifier";
        Cli.Result accepted = Cli.run(lenient);
        assertThat(accepted.err()).isEmpty();
        assertThat(accepted.json().get("classes").asInt()).isEqualTo(3);
        assertThat(accepted.json().get("initialized").get(0).asText()).isEqualTo("fc2.weight");
    }

    /** Keras 3.15 made the file and the logits: Flatten, Dense(800, relu), Dense(2), weights of two digits. */
    @Test
    void whatKerasSavedGivesKerassLogits() throws IOException {
        Path model = folder.resolve("keras.model");
        Cli.Result imported = Cli.run(
                "import",
                "mnist",
                Path.of("src/test/resources/tenon/apps/pretrained/keras-3-mnist.h5"),
                "--input",
                "2x2x1",
                "--augment",
                "none",
                "--out",
                model);
        assertThat(imported.err()).isEmpty();
        assertThat(imported.out()).contains("Names: keras-numbered", "Matched: 4 of 4 tensors");
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("model", backend);
                var _ = GradMode.noGrad()) {
            Tensor pictures = Tensor.of(new float[] {0.1f, 0.2f, -0.3f, 0.4f, 1, -1, 2, 0}, 2, 2, 2, 1);
            float[] logits = read(model).network().apply(pictures).toFloatArray();
            assertThat(logits)
                    .containsExactly(new float[] {3.816889f, -2.138140f, 4.731799f, -9.521198f}, within(1e-4f));
        }
    }

    @Test
    void classesTakeTheOrderOfTheDataSet() throws IOException {
        Path model = folder.resolve("a.model");
        float[] p = write(model, NetworkSpec.Kind.MINIVGG, "tenon.map", 8);
        Path table = Files.write(
                folder.resolve("map_clsloc.txt"),
                List.of("n03 1 crane", "n01 2 tench", "n05 3 maillot", "n02 4 crane", "n04 5 wok"));
        Path named = folder.resolve("b.model");
        Object[] command = {
            "import",
            "minivgg",
            model,
            "--input",
            "8x8x3",
            "--augment",
            "resized-crop",
            "--out",
            named,
            "--imagenet",
            table
        };
        assertThat(Cli.run(command).err()).isEmpty();
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("model", backend)) {
            assertThat(read(named).classNames()).containsExactly("crane_n03", "tench", "maillot", "crane_n02", "wok");
        }
        // The file's classes follow the WordNet ids: tench, crane_n02, crane_n03, wok, maillot.
        assertThat(probabilities(named)).containsExactly(new float[] {p[2], p[0], p[4], p[1], p[3]}, within(1e-6f));

        Path names = Files.write(folder.resolve("names.txt"), List.of("v", "w", "x", "y", "z"));
        command[9] = "--class-file";
        command[10] = names;
        assertThat(Cli.run(command).err()).isEmpty();
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("model", backend)) {
            assertThat(read(named).classNames()).containsExactly("v", "w", "x", "y", "z");
        }
        assertThat(probabilities(named)).containsExactly(p, within(0f));
        Files.write(names, List.of("v", "w", "w", "y", "z"));
        assertThat(Cli.run(command).err()).contains("class names must differ: w");
    }

    @Test
    void saysWhatToDoWhenItCannotImport() throws IOException {
        Path out = folder.resolve("x.model");
        Path model = folder.resolve("a.model");
        write(model, NetworkSpec.Kind.MINIVGG, "tenon.map", 8);
        assertFails(
                1,
                "none.safetensors: there is no such file",
                "import",
                "resnet50",
                folder.resolve("none.safetensors"),
                "--out",
                out);
        assertFails(1, "this is a folder", "import", "resnet50", folder, "--out", out);
        Path text = Files.writeString(folder.resolve("text"), "some words and more");
        assertFails(
                1, "must be safetensors, MXNet .params, Keras .h5 or .npz", "import", "resnet50", text, "--out", out);
        Path pickle =
                Files.write(folder.resolve("old.pth"), new byte[] {(byte) 0x80, 2, 'c', 'x', 'y', 'z', 0, 0, 0, 0});
        assertFails(1, "safetensors.torch.save_file", "import", "resnet50", pickle, "--out", out);
        assertFails(
                1,
                "none of its names is one that mobilenet-v1 has as tenon, keras, timm, mxnet-numbered, keras-numbered",
                "import",
                "mobilenet-v1",
                model,
                "--out",
                out);
        assertFails(
                2,
                "--names must be one of tenon, mxnet-numbered, keras-numbered for minivgg: torchvision",
                "import",
                "minivgg",
                model,
                "--names",
                "torchvision",
                "--out",
                out);
        assertFails(
                2,
                "--normalize mean needs the statistics of records: --records RECORDS",
                "import",
                "minivgg",
                model,
                "--input",
                "8x8x3",
                "--augment",
                "alexnet",
                "--out",
                out);
        assertThat(out).doesNotExist();
    }

    private static void assertFails(int exitCode, String message, Object... arguments) {
        Cli.Result result = Cli.run(arguments);
        assertThat(result.err()).contains(message);
        assertThat(result.exitCode()).isEqualTo(exitCode);
    }

    @Test
    void aRunMayStartFromAnyWeightsOfItsNetwork() throws IOException {
        Path model = folder.resolve("a.model");
        float[] expected = write(model, NetworkSpec.Kind.RESNET18, "resnet-torchvision.map", 64);
        Path weights = folder.resolve("weights.safetensors");
        Cli.run("export", model, "--to", "safetensors", "--names", "torchvision", "--out", weights);
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("model", backend)) {
            Classifier trained = read(model);
            Module network = trained.spec().build();
            ImportReport report =
                    PretrainedWeights.load(weights, trained.spec(), network, PretrainedWeights.Leniency.NONE);
            assertThat(report.names()).isEqualTo("torchvision");
            assertThat(new Classifier(
                                    trained.spec(),
                                    network,
                                    trained.normalization(),
                                    trained.augmentation(),
                                    trained.classNames())
                            .probabilities(PICTURE))
                    .containsExactly(expected, within(0f));

            NetworkSpec original = new NetworkSpec(NetworkSpec.Kind.RESNET18, 64, 64, 3, 5, 0.1);
            assertThat(original.variant()).isEqualTo(NetworkVariant.ORIGINAL);
            Module other = original.build();
            assertThat(org.assertj.core.api.Assertions.catchThrowable(
                            () -> PretrainedWeights.load(weights, original, other, PretrainedWeights.Leniency.NONE)))
                    .hasMessageContaining("weights with the names 'torchvision' belong to another variant of resnet18:"
                            + " --norm-epsilon 1.0E-5 --residuals torchvision");
        }
    }
}
