package tenon.benchmarks.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.benchmarks.networks.BenchmarkNetwork;
import tenon.engine.Scope;
import tenon.engine.backend.shapes.ShapeBackend;
import tenon.layers.Module;

class NetworkDescriptionTest {
    @ParameterizedTest
    @EnumSource(BenchmarkNetwork.class)
    void shouldHoldEveryLayerWithParameters(BenchmarkNetwork network) {
        try (ShapeBackend shapes = new ShapeBackend();
                var _ = Scope.open("network", shapes)) {
            Module module = network.build();
            assertThat(parameters(NetworkDescription.of(module))).isEqualTo(module.trainableCount());
        }
    }

    /** Of a description, as a peer would make them. */
    private static long parameters(Object node) {
        return switch (node) {
            case List<?> nodes ->
                nodes.stream().mapToLong(NetworkDescriptionTest::parameters).sum();
            case Map<?, ?> map ->
                own(map)
                        + map.values().stream()
                                .mapToLong(NetworkDescriptionTest::parameters)
                                .sum();
            case null, default -> 0;
        };
    }

    private static long own(Map<?, ?> node) {
        return switch (String.valueOf(node.get("op"))) {
            case "conv" -> {
                List<?> kernel = (List<?>) node.get("kernel");
                yield number(node, "in")
                                / number(node, "groups")
                                * number(node, "out")
                                * (int) kernel.get(0)
                                * (int) kernel.get(1)
                        + (node.get("bias").equals(true) ? number(node, "out") : 0);
            }
            case "linear" ->
                number(node, "in") * number(node, "out") + (node.get("bias").equals(true) ? number(node, "out") : 0);
            case "batch_norm" ->
                (node.get("scale").equals(true) ? number(node, "channels") : 0)
                        + (node.get("shift").equals(true) ? number(node, "channels") : 0);
            case "prelu" -> number(node, "channels");
            default -> 0;
        };
    }

    private static long number(Map<?, ?> node, String name) {
        return ((Number) node.get(name)).longValue();
    }

    @Test
    void shouldBeTrainedByPyTorch() throws IOException, InterruptedException {
        assumeTrue(hasTorch(), "python3 cannot import torch");
        BenchmarkNetwork network = BenchmarkNetwork.MINIVGG;
        try (ShapeBackend shapes = new ShapeBackend();
                var _ = Scope.open("network", shapes);
                TorchPeer peer = new TorchPeer("python3", Path.of("..", "scripts", "gpu_torch.py"))) {
            Module module = network.build();
            JsonNode answer = peer.measure(network, NetworkDescription.of(module), 2, GpuMode.FP32, "eager", 0.001, 0);
            assertThat(answer.get("parameters").asLong()).isEqualTo(module.trainableCount());
            assertThat(TorchPeer.stepSeconds(answer)).hasSize(3).allMatch(seconds -> seconds > 0);
        }
    }

    private static boolean hasTorch() throws InterruptedException {
        try {
            return new ProcessBuilder("python3", "-c", "import torch")
                            .redirectErrorStream(true)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
