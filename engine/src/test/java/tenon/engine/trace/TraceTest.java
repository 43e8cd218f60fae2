package tenon.engine.trace;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.ops.Activations;
import tenon.engine.ops.Dense;
import tenon.engine.ops.Losses;

/** The properties are read when the engine's classes load, so the traced program runs in a process of its own. */
class TraceTest {
    /** Two training steps of a dense layer, and an evaluation. */
    public static final class Program {
        private Program() {}

        public static void main(String[] arguments) {
            try (Backend backend = ReferenceBackend.open();
                    var _ = Scope.open("model", backend)) {
                Tensor weight = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3).requireGrad(true);
                Tensor velocity = Tensor.of(new float[6], 2, 3);
                for (int step = 0; step < 2; step++) {
                    try (var _ = Scope.open("step")) {
                        weight.zeroGrad();
                        loss(weight).backward();
                        float[] one = {1};
                        weight.backend()
                                .updates()
                                .sgd(
                                        new Tensor[] {weight},
                                        new Tensor[] {weight.grad()},
                                        new Tensor[] {velocity},
                                        0.1f,
                                        0.9f,
                                        false,
                                        1,
                                        null,
                                        new float[1],
                                        one);
                    }
                }
                loss(weight).item();
            }
        }

        private static Tensor loss(Tensor weight) {
            Tensor logits = Activations.relu(Dense.dense(Tensor.of(new float[] {1, 1, 1}, 1, 3), weight, null));
            return Losses.softmaxCrossEntropy(logits, Tensor.of(new int[] {1}, 1));
        }
    }

    private static final Pattern LINE =
            Pattern.compile(" *\\d+\\.\\d{3} ms +(-|\\d+\\.\\d) GFLOP/s +\\d+\\.\\d GB/s +\\d+\\.\\d MB live "
                    + " (forward|backward|update) +(\\S+) (F32|I32)\\[[\\d, ]*\\].*");

    @TempDir
    Path folder;

    private List<String> run(String... properties) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of(properties));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Program.class.getName()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(output).isZero();
        return output.lines().filter(line -> !line.startsWith("WARNING")).toList();
    }

    @Test
    void printsALinePerKernel() throws Exception {
        List<String> lines = run("-Dtenon.trace");
        assertThat(lines).isNotEmpty().allMatch(line -> LINE.matcher(line).matches());
        List<String> kernels = lines.stream()
                .map(LINE::matcher)
                .filter(Matcher::matches)
                .map(line -> line.group(2) + " " + line.group(3))
                .toList();
        assertThat(kernels)
                .containsSubsequence(
                        "forward dense.forward",
                        "forward activation.forward",
                        "forward losses.softmaxCrossEntropyForward",
                        "backward losses.softmaxCrossEntropyBackward",
                        "backward activation.backward",
                        "backward dense.backwardWeight",
                        "update updates.sgd",
                        "forward dense.forward");
    }

    @Test
    void writesTheLastWholeStepForChrome() throws Exception {
        Path file = folder.resolve("step.json");
        assertThat(run("-Dtenon.trace.file=" + file)).isEmpty();
        String json = Files.readString(file);
        assertThat(json.split("\"name\":\"dense.forward\"", -1)).as(json).hasSize(2);
        assertThat(json.split("\"name\":\"updates.sgd\"", -1)).hasSize(2);
        assertThat(json.split("\"ph\":\"X\",\"pid\":1,\"tid\":1", -1))
                .as("phases")
                .hasSize(4);
        assertThat(json).contains("\"name\":\"backward\",\"cat\":\"backward\"");
    }

    @Test
    void saysNothingUnasked() throws Exception {
        assertThat(run()).isEmpty();
    }
}
