package tenon.apps.pretrained;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.apps.Cli;
import tenon.apps.TestData;
import tenon.apps.networks.ResNet;
import tenon.apps.onnx.OnnxRuntime;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.NetworkVariant;
import tenon.apps.training.SavedModel;
import tenon.engine.Generator;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.io.record.FeatureTable;
import tenon.io.record.Label;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;
import tenon.layers.Module;
import tenon.optim.checkpoint.FileOps;
import tenon.optim.checkpoint.ModelFile;

/** Other programs' files where a command takes weights. */
class StartingWeightsTest {
    @TempDir
    private Path folder;

    /** Every tensor gets other values than a new network has: a file that was not read would be noticed. */
    private static Module network(NetworkSpec spec) {
        Generator.current().manualSeed(11);
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
        network.eval();
        return network;
    }

    private static float[] picture(NetworkSpec spec, int count) {
        float[] pixels = new float[(int) spec.input(count).elementCount()];
        Random random = new Random(8);
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (float) random.nextGaussian();
        }
        return pixels;
    }

    private static float[] logits(Module network, NetworkSpec spec) {
        try (Scope _ = Scope.open("picture");
                var _ = GradMode.noGrad()) {
            network.eval();
            return network.apply(Tensor.of(picture(spec, 2), spec.input(2).toArray()))
                    .toFloatArray();
        }
    }

    private static float[] logits(Path model, NetworkSpec spec) throws IOException {
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("model", backend)) {
            return logits(SavedModel.read(model).network(), spec);
        }
    }

    private static Cli.Result done(Object... arguments) {
        Cli.Result result = Cli.run(arguments);
        assertThat(result.exitCode()).as(result.err()).isZero();
        return result;
    }

    private static Map<String, float[]> arrays(Map<String, Tensor> state) {
        Map<String, float[]> arrays = new LinkedHashMap<>();
        state.forEach((name, tensor) -> arrays.put(name, tensor.toFloatArray()));
        return arrays;
    }

    private Path threeClasses() throws IOException {
        return TestData.noise(folder.resolve("three.trec"), "all", 32, 32, List.of("a", "b", "c"), 10, 3);
    }

    @Test
    void trainingBeginsWithAnotherProgramsWeightsInTheirVariant() throws IOException {
        NetworkSpec theirs = new NetworkSpec(
                NetworkSpec.Kind.RESNET18,
                32,
                32,
                3,
                5,
                0.1,
                0.25,
                NetworkVariant.ORIGINAL.withDesign(ResNet.Design.TORCHVISION).withEpsilon(1e-5));
        Path weights = folder.resolve("resnet18.npz");
        Map<String, float[]> before;
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("model", backend)) {
            Module network = network(theirs);
            before = arrays(network.state());
            NpzArchive.write(weights, theirs, "resnet-torchvision.map", network.state());
        }
        Path run = folder.resolve("run");
        List<Object> command = new ArrayList<>(List.of("train", "resnet18", "--width-multiplier", 0.25));
        command.addAll(List.of("--data", threeClasses(), "--batch", 3));
        command.addAll(List.of("--weights", weights, "--freeze", "conv1_1,bn1_2,stage1,stage2,stage3,stage4"));
        command.addAll(List.of("--epochs", 1, "--output", run, "--json"));
        Cli.Result result = done(command.toArray());
        assertThat(result.out())
                .contains("Variant of the weights: --norm-epsilon 1.0E-5 --residuals torchvision")
                .contains("    Names: torchvision", "    Matched: 100 of 102 tensors")
                .contains("    Left at their initialization: 2: fc1.weight, fc1.bias");
        assertThat(result.err()).contains("(--normalize imagenet); this run scales them otherwise");
        assertThat(result.json().at("/weights/matched")).hasSize(100);
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("model", backend)) {
            Map<String, float[]> after = arrays(SavedModel.read(run).network().state());
            assertThat(after.keySet()).isEqualTo(before.keySet());
            assertThat(after.get("fc1.bias")).hasSize(3);
            before.keySet().stream()
                    .filter(name -> !name.startsWith("fc1"))
                    .forEach(name -> assertThat(after.get(name)).as(name).isEqualTo(before.get(name)));
        }

        List<Object> other = new ArrayList<>(command);
        other.set(other.indexOf(run), folder.resolve("other"));
        other.addAll(List.of("--residuals", "pre-activation"));
        Cli.Result refused = Cli.run(other.toArray());
        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.err())
                .contains("weights with the names 'torchvision' belong to another variant of resnet18:"
                        + " --norm-epsilon 1.0E-5 --residuals torchvision");
        assertThat(folder.resolve("other")).doesNotExist();
        // Another run of the same network: its variant comes along too.
        List<Object> again = new ArrayList<>(command);
        again.set(again.indexOf(run), folder.resolve("again"));
        again.set(again.indexOf(weights), run);
        again.add("--dry-run");
        assertThat(done(again.toArray()).out())
                .contains("Variant of the weights: --norm-epsilon 1.0E-5 --residuals torchvision")
                .contains("Names: tenon", "Matched: 102 of 102 tensors");
    }

    /** A file that Keras wrote; see {@link ImportCommandTest}. */
    @Test
    void kerassFilesAreReadInPlaceOfModels() {
        Path weights = Path.of("src/test/resources/tenon/apps/pretrained/keras-3-mnist.h5");
        Object[] command = {
            "train",
            "mnist",
            "--synthetic",
            10,
            "--classes",
            2,
            "--size",
            "2x2x1",
            "--weights",
            weights,
            "--evaluate-only",
            "--json"
        };
        Cli.Result measured = done(command);
        assertThat(measured.out()).contains("Names: keras-numbered", "Matched: 4 of 4 tensors");
        assertThat(measured.json().at("/weights/missing")).isEmpty();
        command[7] = "3x3x1";
        Cli.Result size = Cli.run(command);
        assertThat(size.exitCode()).isEqualTo(1);
        assertThat(size.err()).contains("must have the shape [9, 800]", "shape=[4, 800]", "at this input size?");
    }

    @ParameterizedTest
    @ValueSource(strings = {"missing", "text"})
    void whatIsNoFileOfWeightsIsAnErrorBeforeAnyWork(String name) throws IOException {
        Files.writeString(folder.resolve("text"), "some words and more");
        Cli.Result result = Cli.run(
                "train", "mnist", "--synthetic", "--weights", folder.resolve(name), "--output", folder.resolve("run"));
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.err())
                .contains(
                        name.equals("text")
                                ? "must be safetensors, MXNet .params, Keras .h5 or .npz"
                                : "there is no such file");
        assertThat(folder.resolve("run")).doesNotExist();
    }

    @Test
    void featuresAreReadFromAnotherProgramsWeights() throws IOException {
        NetworkSpec spec = new NetworkSpec(
                NetworkSpec.Kind.MOBILENET_V1, 224, 224, 3, 7, 0.01, 1, NetworkVariant.ORIGINAL.withEpsilon(1e-3));
        Path weights = folder.resolve("mobilenet.npz");
        Path pictures = folder.resolve("pictures.trec");
        byte[] pixels = new byte[224 * 224 * 3];
        new Random(2).nextBytes(pixels);
        try (RecordWriter writer =
                RecordWriter.create(pictures, RecordSchema.rawClasses("all", 224, 224, 3, List.of("cat", "dog")))) {
            writer.add(pixels, Label.ofClass(1), "dog.0", "");
            writer.commit();
        }
        float[] logits;
        float[] classifier;
        float[] bias;
        try (Backend backend = CpuBackend.open(2);
                Scope _ = Scope.open("model", backend);
                var _ = GradMode.noGrad()) {
            Module network = network(spec);
            NpzArchive.write(weights, spec, "mobilenet-v1-keras.map", network.state());
            float[] input = new float[pixels.length];
            for (int i = 0; i < input.length; i++) {
                input[i] = (pixels[i] & 0xFF) / 127.5f - 1;
            }
            logits = network.apply(Tensor.of(input, 1, 224, 224, 3)).toFloatArray();
            classifier = network.state().get("fc.weight").toFloatArray();
            bias = network.state().get("fc.bias").toFloatArray();
        }
        Path features = folder.resolve("features.trec");
        Cli.Result result =
                done("features", weights, "--network", "mobilenet-v1", "--data", pictures, "--out", features);
        assertThat(result.out()).contains("Names: keras", "Matched: 137 of 137 tensors");
        FeatureTable table = FeatureTable.read(List.of(features));
        assertThat(table.width()).isEqualTo(1024);
        assertThat(table.labels()).containsExactly(1);
        // The last layer makes the network's logits of them.
        for (int c = 0; c < logits.length; c++) {
            double sum = bias[c];
            for (int i = 0; i < 1024; i++) {
                sum += (double) classifier[c * 1024 + i] * table.values()[i];
            }
            assertThat(sum).isCloseTo(logits[c], within(1e-3));
        }
        Cli.Result unnamed = Cli.run("features", weights, "--data", pictures, "--out", folder.resolve("x.trec"));
        assertThat(unnamed.exitCode()).isEqualTo(1);
        Cli.Result useless =
                Cli.run("features", weights, "--names", "keras", "--data", pictures, "--out", folder.resolve("x.trec"));
        assertThat(useless.exitCode()).isEqualTo(2);
        assertThat(useless.err()).contains("they need --network");
    }

    /** AlexNet keeps its gammas at 1; a file with others must give its own outputs, through training, checkpoint, model and exports. */
    @Test
    void gammasOtherThanOneSurviveEveryWay() throws Exception {
        NetworkSpec spec = new NetworkSpec(
                NetworkSpec.Kind.ALEXNET, 67, 67, 3, 3, 0.1, 0.125, NetworkVariant.ORIGINAL.withLearnedGamma(true));
        Path plain = folder.resolve("plain.safetensors");
        float[] expected;
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("model", backend)) {
            Module network = network(spec);
            assertThat(network.state().keySet()).anyMatch(name -> name.endsWith(".gamma"));
            ModelFile.write(FileOps.SYSTEM, plain, network.state(), Map.of());
            expected = logits(network, spec);
        }
        Path model = folder.resolve("a.model");
        List<Object> build = List.of("--width-multiplier", 0.125);
        List<Object> command = new ArrayList<>(List.of("import", "alexnet", plain, "--input", "67x67x3"));
        command.addAll(build);
        command.addAll(List.of("--augment", "resized-crop", "--out", model));
        done(command.toArray());
        assertThat(logits(model, spec)).isEqualTo(expected);

        // All but the last layer stand still, and the last moves by less than a float can show.
        Path run = folder.resolve("run");
        List<Object> train = new ArrayList<>(List.of("train", "alexnet", "--synthetic", 10, "--classes", 3));
        train.addAll(build);
        train.addAll(List.of("--size", "67x67x3", "--batch", 3, "--epochs", 1, "--lr", "1e-30", "--weights", model));
        String layers = "conv1_1,bn1_1,conv2_1,bn2_1,conv3_1,bn3_1,conv3_2,bn3_2,conv3_3,bn3_3,fc1,bn4_1,fc2,bn5_1";
        train.addAll(List.of("--freeze", layers, "--output", run));
        assertThat(done(train.toArray()).out()).contains("Variant of the weights: --learned-gamma");
        assertThat(logits(run, spec)).isEqualTo(expected);

        Path again = folder.resolve("again.safetensors");
        done("export", run, "--to", "safetensors", "--out", again);
        assertThat(logits(again, spec)).isEqualTo(expected);
        Path onnx = folder.resolve("net.onnx");
        done("export", run, "--to", "onnx", "--out", onnx);
        try (OnnxRuntime runtime = new OnnxRuntime(onnx)) {
            float[] theirs = runtime.run(picture(spec, 2), 2, 67, 67, 3);
            double largest = 0;
            for (float value : expected) {
                largest = Math.max(largest, Math.abs(value));
            }
            assertThat(theirs).containsExactly(expected, within((float) (1e-4 * largest)));
        }

        List<Object> frozen = new ArrayList<>(train);
        frozen.set(frozen.indexOf(run), folder.resolve("frozen"));
        frozen.addAll(List.of("--norm-epsilon", "1e-3"));
        Cli.Result refused = Cli.run(frozen.toArray());
        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.err())
                .contains("has gammas other than 1 for norms whose gamma this network keeps at 1: bn1_1.gamma")
                .contains("--learned-gamma makes it the network that uses them");
        assertThat(Arrays.asList("mobilenet-v2", "vgg16"))
                .allSatisfy(network -> assertThat(Cli.run("summary", network, "--learned-gamma", "--batch-norm", "none")
                                .exitCode())
                        .isEqualTo(2));
    }
}
