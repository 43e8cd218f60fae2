package tenon.benchmarks.floor;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import tenon.benchmarks.Bench;

class FloorCommandTest {
    @Test
    void listsEveryPrimitiveAndEndsWithTheFloor() {
        var result = Bench.run("floor", "--net", "minivgg", "--batch", 2, "--seconds", 0.01, "--threads", 1, "--json");
        assertThat(result.err()).isEmpty();
        assertThat(result.exitCode()).isZero();
        assertThat(result.out())
                .containsPattern("conv backward weights +block1\\.conv2 +\\[2, 32, 32, 32\\]")
                .contains("with update")
                .contains("alone, summed")
                .doesNotContain("NaN");
        var json = result.json();
        assertThat(json.path("command").asText()).isEqualTo("bench floor");
        assertThat(json.path("net").asText()).isEqualTo("minivgg");
        assertThat(json.path("batch").asInt()).isEqualTo(2);
        assertThat(json.path("reference_primitives").asInt())
                .isEqualTo(ChainTest.referenceFamilies().size());
        assertThat(json.path("floor_images_per_second").asDouble()).isPositive();
        assertThat(json.path("floor_without_update_images_per_second").asDouble())
                .isGreaterThanOrEqualTo(json.path("floor_images_per_second").asDouble());
        assertThat(json.path("family_ms").path("conv forward").asDouble()).isPositive();
    }

    @Test
    void refusesABatchOfNothing() {
        var result = Bench.run("floor", "--batch", 0);
        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.err()).contains("--batch must be at least 1: 0");
    }
}
