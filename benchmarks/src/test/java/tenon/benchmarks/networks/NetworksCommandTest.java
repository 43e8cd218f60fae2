package tenon.benchmarks.networks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.benchmarks.Bench;

class NetworksCommandTest {
    /** The keys that programs rely on, in their order; details follow. */
    private static final List<String> KEYS = List.of(
            "command",
            "net",
            "batch",
            "precision",
            "mode",
            "ours_images_per_second",
            "peer",
            "peer_images_per_second",
            "peer_default_images_per_second",
            "ratio",
            "ours_peak_rss_mb",
            "peer_peak_rss_mb",
            "floor_images_per_second");

    @Test
    void measuresBothEnginesOnTheSameNetwork() {
        var result = Bench.run(
                "networks", "--batch", 8, "--steps", 2, "--seconds", 0.1, "--rounds", 1, "--threads", 2, "--json");

        assertThat(result.exitCode()).as(result.err()).isZero();
        JsonNode json = result.json();
        List<String> keys = new ArrayList<>();
        json.fieldNames().forEachRemaining(keys::add);
        assertThat(keys).startsWith(KEYS.toArray(String[]::new));
        assertThat(json.get("command").asText()).isEqualTo("bench networks");
        assertThat(json.get("net").asText()).isEqualTo("minivgg");
        assertThat(json.get("batch").asInt()).isEqualTo(8);
        assertThat(json.get("peer").asText()).isEqualTo("libtorch 2.10.0");
        for (String figure : List.of(
                "ours_images_per_second",
                "peer_images_per_second",
                "peer_default_images_per_second",
                "ours_peak_rss_mb",
                "peer_peak_rss_mb",
                "floor_images_per_second")) {
            assertThat(json.get(figure).asDouble()).as(figure).isPositive();
        }
        assertThat(json.get("ratio").asDouble())
                .isCloseTo(
                        json.get("ours_images_per_second").asDouble()
                                / json.get("peer_images_per_second").asDouble(),
                        withinPercentage(1));
        assertThat(json.get("ours_parameters").asLong()).isEqualTo(2_169_770);
        assertThat(json.get("peer_parameters").asLong()).isEqualTo(2_169_770);
        assertThat(json.get("ours_losses")).hasSize(3);
    }

    @Test
    void inferenceOfOneImageComparesTrainingLossesOfSeveral() {
        var result = Bench.run(
                "networks",
                "--net",
                "minivgg",
                "--batch",
                1,
                "--mode",
                "inference",
                "--steps",
                1,
                "--rounds",
                1,
                "--json");

        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(result.json().get("batch").asInt()).isEqualTo(1);
        assertThat(result.json().get("ours_losses")).hasSize(3);
    }

    @Test
    void listsSeveralRowsAndTheKernelsOfEach() {
        var result = Bench.run(
                "networks",
                "--net",
                "minivgg,minivgg",
                "--batch",
                2,
                "--mode",
                "inference",
                "--against",
                "none",
                "--steps",
                1,
                "--rounds",
                1,
                "--profile",
                "--json");

        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(result.out()).contains("dense.forward").contains("outside kernels");
        assertThat(result.json().get("rows")).hasSize(2);
        assertThat(result.json().get("rows").get(0).get("ratio").isNull()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "--net, vgg99, '--net must be all, or some of'",
        "--precision, fp8, '--precision must be fp32, bf16 or both: fp8'",
        "--mode, sleep, 'must be one of train, inference'",
        "--against, caffe, 'must be one of libtorch, none'",
        "--batch, 0, '--batch must be at least 1: 0'",
        "--rounds, 0, '--rounds must be at least 1: 0'",
        "--seconds, -1, '--seconds must be above 0: -1.0'",
        "--steps, 0, '--steps must be at least 1: 0'",
        "--threads, 0, '--threads must be at least 1: 0'"
    })
    void refusesWhatItCannotMeasure(String option, String value, String message) {
        var result = Bench.run("networks", option, value);
        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.err()).contains(message);
    }
}
