package tenon.benchmarks.networks;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.benchmarks.ChildProcess;
import tenon.benchmarks.networks.Measurement.Task;
import tenon.engine.Precision;

class TraceFileTest {
    @Test
    void aTrainingStepInChromesFormatHasEveryKernel(@TempDir Path folder) throws Exception {
        ObjectMapper json = new ObjectMapper();
        Path file = folder.resolve("step.json");
        Measurement measurement = new Measurement(
                Task.TIME,
                Engine.TENON,
                BenchmarkNetwork.MINIVGG,
                2,
                Precision.FP32,
                Mode.TRAIN,
                1,
                new Budget(0, 1),
                true);
        String last = ChildProcess.run(
                Worker.class,
                Map.of("JAVA_TOOL_OPTIONS", "-Dtenon.trace.file=" + file),
                json.writeValueAsString(measurement));

        Set<String> profiled = new TreeSet<>();
        json.readValue(last, Outcome.class)
                .kernels()
                .forEach(kernel -> profiled.add(kernel.kernel().split(" ")[0]));
        Set<String> traced = new TreeSet<>();
        Set<String> phases = new TreeSet<>();
        for (JsonNode event : json.readTree(file.toFile()).get("traceEvents")) {
            if (event.get("ph").asText().equals("X")) {
                (event.get("tid").asInt() == 1 ? phases : traced)
                        .add(event.get("name").asText());
                assertThat(event.get("dur").asDouble()).isPositive();
            }
        }
        assertThat(traced).isEqualTo(profiled).contains("convolution.backwardWeight", "updates.sgd");
        assertThat(phases).containsExactly("backward", "forward", "update");
    }
}
