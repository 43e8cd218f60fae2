package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.apps.TestData;
import tenon.apps.TestModels;
import tenon.engine.Scope;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.optim.checkpoint.FileOps;
import tenon.optim.checkpoint.ModelFile;

/** train --evaluate-only measures weights, all of them, on the classes that they were trained for. */
class EvaluateOnlyTest {
    private static final int SIDE = 6;

    @TempDir
    private Path folder;

    private Path model;

    @BeforeEach
    void write() throws IOException {
        model = model("abc.model", "a", "b", "c");
    }

    private Path model(String name, String... classes) throws IOException {
        Path file = folder.resolve(name);
        TestModels.write(file, NetworkSpec.Kind.MNIST, SIDE, Augmentation.NONE, List.of(classes));
        return file;
    }

    private Cli.Result measure(Path weights, String... classes) throws IOException {
        return measure(weights, records(SIDE, classes));
    }

    private Path records(int side, String... classes) throws IOException {
        Path data = folder.resolve(String.join("", classes) + side + ".trec");
        return TestData.noise(data, "test", side, side, List.of(classes), 8, 4);
    }

    private Cli.Result measure(Path weights, Path data, Object... more) {
        return Cli.run(Stream.concat(
                        Stream.of(
                                "train",
                                "--data",
                                data,
                                "--val",
                                data,
                                "--weights",
                                weights,
                                "--evaluate-only",
                                "--output",
                                folder.resolve("run"),
                                "--json"),
                        more.length > 0 && more[0] instanceof NetworkSpec.Kind
                                ? Stream.of(more)
                                : Stream.concat(Stream.of("mnist"), Stream.of(more)))
                .toArray());
    }

    private static void assertSameMeasured(Cli.Result measured, Cli.Result evaluated) {
        assertThat(measured.exitCode()).as(measured.err()).isZero();
        assertThat(measured.err()).isEqualTo(evaluated.err());
        assertThat(measured.json().get("loss").asDouble())
                .isCloseTo(evaluated.json().get("loss").asDouble(), within(1e-5));
    }

    /** The model's pictures have means of 120, 110, 100, and those of another size are squashed to its input. */
    @Test
    void picturesAreSeenAsInTraining() throws IOException {
        for (int side : new int[] {SIDE, SIDE + 2}) {
            Path data = records(side, "a", "b", "c");
            assertSameMeasured(measure(model, data), Cli.run("evaluate", model, "--data", data, "--json"));
        }
        Path cropping = folder.resolve("cropping.model");
        TestModels.write(cropping, NetworkSpec.Kind.MNIST, SIDE, Augmentation.RESIZED_CROP, List.of("a", "b", "c"));
        Path larger = records(SIDE + 2, "a", "b", "c");
        assertSameMeasured(measure(cropping, larger), Cli.run("evaluate", cropping, "--data", larger, "--json"));
        assertThat(measure(cropping, larger, "--augment", "flip").errLines())
                .contains("warning: --augment flip shows pictures otherwise than training's --augment resized-crop did:"
                        + " squashed to the input, not shorter side 256 for inputs of 224 and 227");
    }

    /** Weights of which no tensor tells the difference. */
    @Test
    void whatContradictsTheWeightsIsRefused() throws IOException {
        Path data = records(SIDE, "a", "b", "c");
        assertRefused(
                measure(model, data, "--normalize", "unit"),
                "the scaling of values is (value - [0.0]) / [255.0] here, (value - [120.0, 110.0, 100.0]) / [60.0,"
                        + " 65.0, 70.0] in " + model + " (leave --normalize out)");
        assertRefused(
                measure(model, data, "--size", "4x9x3"),
                "the input is 4x9x3 here, 6x6x3 in " + model + " (leave --size out)");
        assertRefused(
                measure(model, data, "--norm", "fast"),
                "the momentum of batch norm's averages is 0.1 here, 1.0 in " + model + " (leave --norm out)");
        Path mobile = folder.resolve("mobile.model");
        TestModels.write(mobile, NetworkSpec.Kind.MOBILENET_V1, 32, Augmentation.NONE, List.of("a", "b", "c"));
        assertRefused(
                measure(mobile, data, NetworkSpec.Kind.MOBILENET_V1, "--activation", "relu"),
                "the network's variant is --activation relu here, the original in " + mobile
                        + " (leave --experiment, --activation and the like out)");
        assertThat(folder.resolve("run")).doesNotExist();
    }

    private static void assertRefused(Cli.Result result, String message) {
        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.errLines().getFirst())
                .isEqualTo("tenon train: --evaluate-only measures weights as they were trained: " + message);
        assertThat(result.out()).doesNotContain("rank-1");
    }

    @Test
    void aLastLayerThatTheWeightsDoNotHaveIsNotMeasured() throws IOException {
        assertThat(measure(model, "a", "b", "c").err()).isEmpty();
        Cli.Result more = measure(model, "a", "b", "c", "d");
        assertThat(more.exitCode()).isEqualTo(2);
        assertThat(more.errLines().getFirst())
                .isEqualTo("tenon train: --evaluate-only needs weights of the whole network for the data's 4 classes: "
                        + model + " has none for fc2.weight, fc2.bias (train without --evaluate-only to fit the last"
                        + " layer to these classes)");
        assertThat(more.out()).doesNotContain("rank-1");
        assertThat(folder.resolve("run")).doesNotExist();
    }

    @Test
    void classesMustBeTheWeightsOwnInTheirOrder() throws IOException {
        Cli.Result order = measure(model, "a", "c", "b");
        assertThat(order.exitCode()).isEqualTo(2);
        assertThat(order.errLines().getFirst())
                .isEqualTo("tenon train: --evaluate-only needs data of the classes that the weights were trained on:"
                        + " [a, c, b] in the data, [a, b, c] in " + model);
        assertThat(order.out()).doesNotContain("rank-1");
        assertThat(measure(model, "x", "y", "z").exitCode()).isEqualTo(2);
    }

    /** As other programs write them, or as import numbers the classes of such files. */
    @Test
    void weightsThatDoNotNameTheirClassesAreMeasuredWithAWarning() throws IOException {
        Path plain = folder.resolve("plain.safetensors");
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("model", backend)) {
            ModelFile.write(
                    FileOps.SYSTEM, plain, SavedModel.read(model).network().state(), Map.of());
        }
        for (Path weights : Arrays.asList(plain, model("numbered.model", "0", "1", "2"))) {
            Cli.Result result = measure(weights, "a", "b", "c");
            assertThat(result.exitCode()).as(result.err()).isZero();
            assertThat(result.errLines())
                    .containsExactly("warning: " + weights
                            + " does not name its classes: they are taken to be the data's, in the data's order");
        }
    }
}
