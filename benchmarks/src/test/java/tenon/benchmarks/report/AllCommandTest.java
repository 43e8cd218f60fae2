package tenon.benchmarks.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.benchmarks.Bench;
import tenon.benchmarks.Machine;

class AllCommandTest {
    @TempDir
    Path folder;

    private static Map<String, Object> row(int batch, String mode, Double ratio) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("net", "minivgg");
        row.put("batch", batch);
        row.put("precision", "fp32");
        row.put("mode", mode);
        row.put("threads", 2);
        row.put("ours_images_per_second", 2010.0);
        row.put("peer_images_per_second", 641.0);
        row.put("peer_default_images_per_second", 440.0);
        row.put("peer_format", "libtorch channels-last");
        row.put("ratio", ratio);
        row.put("ratio_rounds", List.of(3.0, 3.25));
        row.put("floor_images_per_second", mode.equals("train") ? 2000.0 : null);
        row.put("overhead", mode.equals("train") ? -0.01 : null);
        row.put("ours_peak_rss_mb", 458);
        row.put("peer_peak_rss_mb", 590);
        row.put("ours_steps_ms", Map.of("step", 31.8, "forward", 12.9));
        return row;
    }

    private void writeResults() throws IOException {
        Results results = Results.open(folder.resolve("results.json"), Machine.describe());
        results.add(row(64, "train", 3.14));
        results.add(row(1, "inference", 2.0));
        results.add(row(32, "inference", 1.5));
        results.setKernels("""
            {"roofline":{"gemm_fp32_gflops":230.4,"gemm_bf16_gflops":800,"copy_gb_per_second":40.25},
             "rows":[{"net":"minivgg","precision":"fp32","kernel":"add","shape":"add(F32[8])","calls":2,"hot_us":1.5,
                      "cold_us":3,"cold_gflops":0,"cold_gb_per_second":32,"cold_percent_of_roofline":79.6}]}\
            """);
    }

    private Bench.Result run(Object... more) {
        List<Object> arguments = new ArrayList<>(List.of("all", "--report", folder, "--net", "minivgg"));
        arguments.addAll(List.of("--precision", "fp32", "--threads", 2, "--json"));
        arguments.addAll(List.of(more));
        return Bench.run(arguments.toArray());
    }

    @Test
    void goesOnFromTheRowsThatAreThereAndWritesThePage() throws IOException {
        writeResults();
        var result = run("--kernels", "minivgg");

        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(result.json().get("measured").asInt()).isZero();
        assertThat(result.json().get("rows").asInt()).isEqualTo(3);
        assertThat(Files.readString(folder.resolve("README.md")))
                .contains("./tenon bench all --report")
                .contains(
                        "| minivgg (64) | fp32 | 2010 | 641 channels-last | 440 | **3.14** (3.00–3.25) | 2000 | 1.01 |"
                                + " 458 / 590 MB |")
                .contains("| minivgg (1) | fp32 | 2010 | 641 channels-last | 440 | **2.00** (3.00–3.25) | – | – | 458 /"
                        + " 590 MB |")
                .contains("| minivgg (64) | fp32 | 31.8 | 12.9 | – | – | – |")
                .contains("Roofline: 230 GFLOP/s in fp32, 800 in bf16, copy 40.3 GB/s")
                .contains("| minivgg | fp32 | `add(F32[8])` | 2 | 1.50 | 3.00 | – | 32.0 | 80 |")
                .contains("![training throughput over libtorch's](training-ratio.png)");
        assertThat(folder.resolve("training-ratio.png")).isNotEmptyFile();
        assertThat(folder.resolve("training-ratio.svg")).isNotEmptyFile();
    }

    @Test
    void measuresOneModeOnly() throws IOException {
        Results.open(folder.resolve("results.json"), Machine.describe()).add(row(64, "train", 3.14));
        var result = run("--kernels", "none", "--mode", "train");
        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(result.json().get("measured").asInt()).isZero();
        assertThat(Files.readString(folder.resolve("README.md"))).contains("--mode train");
    }

    @Test
    void compareReadsTheResults() throws IOException {
        writeResults();
        Path file = folder.resolve("results.json");
        var result = Bench.run("compare", file, file, "--json");
        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(result.json().get("within_noise").asInt()).isEqualTo(3);
    }

    @Test
    void refusesResultsOfAnotherMachineAndDamagedOnes() throws IOException {
        Path file = folder.resolve("results.json");
        Files.writeString(file, "{\"machine\":{\"cpu\":\"Abacus\",\"cores\":\"10\"},\"rows\":[]}");
        var other = run("--kernels", "none");
        assertThat(other.exitCode()).isEqualTo(1);
        assertThat(other.err()).contains("results of two machines do not mix").contains("cpu=Abacus");

        Files.writeString(file, "{\"machine\":");
        var damaged = run("--kernels", "none");
        assertThat(damaged.exitCode()).isEqualTo(1);
        assertThat(damaged.err()).contains("must be JSON");
    }

    @ParameterizedTest
    @CsvSource({
        "--net, vgg99, '--net must be all, or some of'",
        "--kernels, vgg99, '--net must be all, or some of'",
        "--precision, fp8, '--precision must be fp32, bf16 or both: fp8'",
        "--mode, sleep, '--mode must be train, inference or both: sleep'",
        "--rounds, 0, '--rounds must be at least 1: 0'",
        "--seconds, 0, '--seconds must be above 0: 0.0'",
        "--threads, 0, '--threads must be at least 1: 0'"
    })
    void refusesWhatItCannotMeasure(String option, String value, String message) {
        var result = Bench.run("all", "--report", folder, option, value);
        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.err()).contains(message);
    }
}
