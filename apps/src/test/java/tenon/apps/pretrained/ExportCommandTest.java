package tenon.apps.pretrained;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.apps.onnx.OnnxRuntime;
import tenon.apps.training.Augmentation;
import tenon.apps.training.Classifier;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.SavedModel;
import tenon.engine.Scope;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.io.data.Normalization;
import tenon.optim.checkpoint.SafetensorsFile;

class ExportCommandTest {
    @TempDir
    private Path folder;

    private Path model;

    @BeforeEach
    void writeModel() throws IOException {
        model = folder.resolve("a.model");
        NetworkSpec spec = new NetworkSpec(NetworkSpec.Kind.RESNET18, 32, 40, 3, 2, 0.1);
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("model", backend)) {
            SavedModel.write(
                    model,
                    new Classifier(
                            spec,
                            spec.build(),
                            new Normalization(new float[] {1, 2, 3}, new float[] {4, 5, 6}),
                            Augmentation.RESNET,
                            List.of("cat", "\"dog\"")));
        }
    }

    @Test
    void onnxFilesSayHowPicturesArePrepared() throws Exception {
        Path file = folder.resolve("deep/net.onnx");
        Cli.Result result = Cli.run("export", model, "--to", "onnx", "--out", file, "--json");
        assertThat(result.err()).isEmpty();
        assertThat(result.json().get("opset").asInt()).isEqualTo(17);
        try (OnnxRuntime runtime = new OnnxRuntime(file)) {
            assertThat(runtime.inputShape()).containsExactly(-1, 3, 32, 40);
            assertThat(runtime.metadata())
                    .containsAllEntriesOf(Map.of(
                            "network", "resnet18",
                            "input.layout", "NCHW",
                            "input.colour", "RGB",
                            "input.size", "32x40",
                            "input.mean", "[1.0, 2.0, 3.0]",
                            "input.std", "[4.0, 5.0, 6.0]",
                            "classes", "[\"cat\",\"\\\"dog\\\"\"]"));
        }
        assertThat(file.getParent().toFile().list()).containsExactly("net.onnx");
    }

    @Test
    void ownNamesAreAModelFile() throws IOException {
        Path file = folder.resolve("net.safetensors");
        assertThat(Cli.run("export", model, "--to", "safetensors", "--out", file)
                        .err())
                .isEmpty();
        try (SafetensorsFile exported = SafetensorsFile.open(file);
                SafetensorsFile written = SafetensorsFile.open(model)) {
            assertThat(exported.entries()).isEqualTo(written.entries());
            assertThat(exported.metadata()).isEqualTo(written.metadata());
        }
    }

    @Test
    void anotherArchitectureIsNotPassedOffAsTorchvisions() {
        Cli.Result result =
                Cli.run("export", model, "--to", "safetensors", "--names", "torchvision", "--out", folder.resolve("x"));
        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.err())
                .contains("the model is another variant of resnet18 than torchvision's, which is --norm-epsilon 1.0E-5"
                        + " --residuals torchvision (--names tenon writes it as it is, --to onnx any variant)");
    }

    @Test
    void namesThatDoNotExistAndMissingOptionsAreUsageErrors() {
        Cli.Result names =
                Cli.run("export", model, "--to", "safetensors", "--names", "caffe", "--out", folder.resolve("x"));
        assertThat(names.exitCode()).isEqualTo(2);
        assertThat(names.err()).contains("--names must be one of tenon, torchvision, timm for resnet18: caffe");
        Cli.Result options = Cli.run("export", model, "--to", "onnx");
        assertThat(options.exitCode()).isEqualTo(2);
        assertThat(options.err()).contains("a model needs all three: MODEL --to FORMAT --out FILE");
        assertThat(Cli.run("export", model, "--to", "caffe", "--out", "x").err())
                .contains("safetensors", "onnx");
    }
}
