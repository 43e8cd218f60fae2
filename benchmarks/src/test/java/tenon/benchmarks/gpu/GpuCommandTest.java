package tenon.benchmarks.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tenon.benchmarks.Bench;
import tenon.benchmarks.Bench.Result;
import tenon.benchmarks.networks.BenchmarkNetwork;
import tenon.engine.DeviceException;
import tenon.engine.Precision;
import tenon.engine.Scope;
import tenon.engine.backend.cuda.CudaBackend;
import tenon.engine.backend.cuda.CudaOptions;
import tenon.engine.backend.shapes.ShapeBackend;
import tenon.simulator.SimulatedDevice;
import tenon.simulator.Simulator;

/** On the simulated device: that everything is measured, never how fast. */
class GpuCommandTest {
    @BeforeAll
    static void findDevice() {
        assumeTrue(SimulatedDevice.why().isEmpty(), () -> SimulatedDevice.why().orElseThrow());
        System.setProperty("tenon.cuda.path", SimulatedDevice.folder().toString());
        try (CudaBackend backend = CudaBackend.open()) {
            assumeTrue(Precision.FP32.availableOn(backend), "the CUDA back-end does not convolve");
        }
    }

    private static Result run(Object... arguments) {
        Object[] all = new Object[arguments.length + 1];
        all[0] = "gpu";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return Bench.run(all);
    }

    @Test
    void shouldTimeTrainingInEveryMode(@TempDir Path folder) throws IOException {
        Path report = folder.resolve("gpu.json");
        Result result = run(
                "--net",
                "minivgg",
                "--batch",
                "2",
                "--rounds",
                "2",
                "--seconds",
                "0.001",
                "--report",
                report,
                "--json");
        assertThat(result.err()).isEmpty();
        assertThat(result.exitCode()).isZero();
        JsonNode rows = result.json().get("networks");
        assertThat(rows).hasSize(3);
        for (JsonNode row : rows) {
            assertThat(row.get("net").asText()).isEqualTo("minivgg");
            assertThat(row.get("batch").asInt()).isEqualTo(2);
            assertThat(row.get("parameters").asLong()).isEqualTo(parameters(BenchmarkNetwork.MINIVGG));
            JsonNode tenon = row.get("training").get("tenon");
            assertThat(tenon.get("images_per_second").asDouble()).isPositive();
            assertThat(tenon.get("step_seconds_rounds")).hasSize(2);
        }
        assertThat(new ObjectMapper().readTree(Files.readString(report)).get("networks"))
                .isEqualTo(rows);
        assertThat(result.json().get("machine").has("gpu")).isTrue();
        assertThat(new Simulator(SimulatedDevice.folder()).violations()).isEmpty();
    }

    private static long parameters(BenchmarkNetwork network) {
        try (ShapeBackend shapes = new ShapeBackend();
                var _ = Scope.open("count", shapes)) {
            return network.build().trainableCount();
        }
    }

    @Test
    void shouldTimeKernelsAndOverlap() {
        Result result = run(
                "--net",
                "none",
                "--kernels",
                "minivgg",
                "--mode",
                "fp32",
                "--batch",
                "2",
                "--overlap",
                "--scale",
                "256",
                "--json");
        assertThat(result.err()).isEmpty();
        assertThat(result.exitCode()).isZero();
        JsonNode json = result.json();
        assertThat(json.get("roofline").get("copy_bytes_per_second").asDouble()).isPositive();
        assertThat(json.get("roofline").get("bf16_flops_per_second").asDouble()).isPositive();
        JsonNode rows = json.get("kernels").get(0).get("rows");
        assertThat(rows).hasSizeGreaterThan(20);
        for (JsonNode row : rows) {
            assertThat(row.get("seconds").asDouble()).isPositive();
            assertThat(row.get("floor_seconds").asDouble()).isPositive();
        }
        assertThat(json.get("overlap").get("hidden").asDouble()).isBetween(0.0, 1.0);
    }

    /** nccl-tests: of n ranks' ring, each link carries 2(n − 1)/n times what is summed. */
    @Test
    void bandwidthOfTheBusIsThatOfNcclTests() {
        assertThat(new AllReduce(2, "", 600, 0.5).busBandwidth()).isEqualTo(1200);
        assertThat(new AllReduce(3, "", 600, 0.5).busBandwidth()).isEqualTo(1600);
        assertThat(new AllReduce(8, "", 600, 0.5).busBandwidth()).isEqualTo(2100);
    }

    /** The second wait is one of the first timed round's, or of the other GPU's: neither waits for the one that has failed. */
    @Test
    @Timeout(60)
    void shouldSayWhyASumFailed() {
        Simulator simulator = new Simulator(SimulatedDevice.folder());
        simulator.devices(2);
        try (CudaBackend first = CudaBackend.open(CudaOptions.defaults().withDevice(0));
                CudaBackend second = CudaBackend.open(CudaOptions.defaults().withDevice(1))) {
            simulator.clearCalls();
            simulator.failAt("cuStreamSynchronize", 2, 719);
            assertThatThrownBy(() -> AllReduce.measure(List.of(first, second), new long[] {64}))
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("cuStreamSynchronize");
        } finally {
            simulator.reset();
        }
    }

    @Test
    void shouldTimeSeveralGpusTogether() {
        Simulator simulator = new Simulator(SimulatedDevice.folder());
        simulator.devices(2);
        Result result;
        try {
            result = run(
                    "--net",
                    "none",
                    "--together",
                    "minivgg",
                    "--mode",
                    "fp32",
                    "--batch",
                    "2",
                    "--seconds",
                    "0.001",
                    "--scale",
                    "64",
                    "--json");
        } finally {
            simulator.reset();
        }
        assertThat(result.err()).isEmpty();
        assertThat(result.exitCode()).isZero();
        JsonNode sums = result.json().get("all_reduce");
        assertThat(sums).hasSize(4);
        for (JsonNode sum : sums) {
            assertThat(sum.get("devices").asInt()).isEqualTo(2);
            double summed = sum.get("bytes").asDouble() / sum.get("seconds").asDouble();
            assertThat(sum.get("algbw_bytes_per_second").asDouble()).isEqualTo(summed);
            assertThat(sum.get("busbw_bytes_per_second").asDouble()).isCloseTo(summed, within(1e-9 * summed));
        }
        JsonNode scaling = result.json().get("scaling");
        assertThat(scaling).hasSize(2);
        for (int i = 0; i < 2; i++) {
            JsonNode row = scaling.get(i);
            assertThat(row.get("devices").asInt()).isEqualTo(i + 1);
            double step = row.get("step_seconds").asDouble();
            assertThat(row.get("images_per_second").asDouble()).isCloseTo(2 * (i + 1) / step, within(1e-9 / step));
            assertThat(row.get("efficiency").asDouble())
                    .isEqualTo(scaling.get(0).get("step_seconds").asDouble() / step);
        }
    }

    @Test
    void shouldReportAPeerThatFailsAndGoOn() {
        Result result = run(
                "--net",
                "minivgg",
                "--mode",
                "fp32",
                "--batch",
                "2",
                "--rounds",
                "1",
                "--seconds",
                "0.001",
                "--peer",
                "false",
                "--json");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.err()).contains("pytorch eager minivgg fp32 batch 2");
        JsonNode json = result.json();
        assertThat(json.get("failures").toString()).contains("pytorch eager");
        assertThat(json.get("networks").get(0).get("training").has("tenon")).isTrue();
    }

    @Test
    void shouldReportADeviceThatIsNotThere() {
        Result result = run("--net", "minivgg", "--mode", "fp32", "--batch", "2", "--device", "7");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.err()).contains("minivgg fp32 batch 2");
    }
}
