package tenon.benchmarks.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.benchmarks.Bench;
import tenon.benchmarks.networks.BenchmarkNetwork;
import tenon.engine.Precision;
import tenon.engine.backend.cpu.CpuBackend;

class KernelsCommandTest {
    @Test
    void measuresTheChosenKernelsAndDrawsTheRoofline(@TempDir Path folder) {
        var result = Bench.run(
                "kernels",
                "--batch",
                2,
                "--filter",
                "^dense.backwardWeight|^pooling.maxForward",
                "--iteration-ms",
                1,
                "--plot",
                folder,
                "--json");

        assertThat(result.exitCode()).as(result.err()).isZero();
        JsonNode json = result.json();
        Set<String> kernels = new TreeSet<>();
        double copy = json.get("roofline").get("copy_gb_per_second").asDouble();
        for (JsonNode row : json.get("rows")) {
            kernels.add(row.get("kernel").asText());
            assertThat(row.get("cold_us_rounds")).hasSize(5);
            assertThat(row.get("cold_us").asDouble()).isPositive();
            if (row.get("flops").asLong() == 0) {
                assertThat(row.get("cold_percent_of_roofline").asDouble())
                        .isCloseTo(100 * row.get("cold_gb_per_second").asDouble() / copy, within(0.1));
            }
        }
        assertThat(kernels).containsExactly("dense.backwardWeight", "pooling.maxForward");
        assertThat(folder.resolve("roofline.png")).isNotEmptyFile();
        assertThat(folder.resolve("roofline.svg")).isNotEmptyFile();
    }

    @Test
    void everyKernelOfATrainingStepCanBeReplayed() {
        try (CpuBackend backend = CpuBackend.open(2)) {
            var cases = KernelRecorder.record(backend, BenchmarkNetwork.MINIVGG, 2, Precision.FP32);
            assertThat(cases.stream().map(one -> one.kernel().name()).collect(Collectors.toSet()))
                    .contains(
                            "convolution.forward",
                            "convolution.backwardInput",
                            "convolution.backwardWeight",
                            "pooling.maxBackward",
                            "normalization.backward",
                            "updates.sgd");
            // Four convolutions, of which the first needs no gradient of its input.
            assertThat(cases.stream()
                            .filter(one -> one.kernel().name().equals("convolution.backwardInput"))
                            .mapToInt(KernelCase::calls)
                            .sum())
                    .isEqualTo(3);
            for (KernelCase one : cases) {
                try (KernelReplay replay = new KernelReplay(one, backend, 2)) {
                    replay.run();
                    replay.run();
                    replay.run();
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "--net, vgg99, '--net must be all, or some of'",
        "--precision, fp8, '--precision must be fp32, bf16 or both: fp8'",
        "--filter, '(', '--filter must be a regular expression'",
        "--batch, 0, '--batch must be at least 1: 0'",
        "--threads, 0, '--threads must be at least 1: 0'",
        "--iteration-ms, 0, '--iteration-ms must be at least 1: 0'"
    })
    void refusesWhatItCannotMeasure(String option, String value, String message) {
        var result = Bench.run("kernels", option, value);
        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.err()).contains(message);
    }
}
