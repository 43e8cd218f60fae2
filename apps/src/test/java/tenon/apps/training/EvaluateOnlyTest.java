package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.apps.TestModels;
import tenon.engine.Scope;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.io.record.Label;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;
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
        Path data = folder.resolve(String.join("", classes) + ".trec");
        Random random = new Random(4);
        try (RecordWriter writer =
                RecordWriter.create(data, RecordSchema.rawClasses("test", SIDE, SIDE, 3, List.of(classes)))) {
            for (int i = 0; i < 8; i++) {
                byte[] pixels = new byte[SIDE * SIDE * 3];
                random.nextBytes(pixels);
                writer.add(pixels, Label.ofClass(i % classes.length), "key" + i, "");
            }
            writer.commit();
        }
        return Cli.run(
                "train",
                "mnist",
                "--data",
                data,
                "--val",
                data,
                "--weights",
                weights,
                "--evaluate-only",
                "--output",
                folder.resolve("run"),
                "--json");
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
