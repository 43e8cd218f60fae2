package tenon.benchmarks.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tenon.benchmarks.networks.BenchmarkNetwork;
import tenon.engine.TenonException;

/** PyTorch in a process of its own, which answers each line of JSON with one. It lives as long as the measurement, so that both sides are measured in turn without starting anew. */
final class TorchPeer implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Process process;
    private final Writer questions;
    private final BufferedReader answers;

    /** @param python the interpreter, @param script {@code gpu_torch.py} */
    TorchPeer(String python, Path script) throws IOException {
        process = new ProcessBuilder(python, "-u", script.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        questions = process.outputWriter();
        answers = process.inputReader();
    }

    /** PyTorch's version and those of the libraries that it runs on. */
    Map<String, String> facts() throws IOException {
        Map<String, String> facts = new LinkedHashMap<>();
        ask(Map.of("ask", "facts")).forEachEntry((name, value) -> facts.put(name, value.asText()));
        return facts;
    }

    /**
     * Times training steps as {@link GpuTraining} does.
     *
     * @param variant {@code eager} or {@code compiled}
     */
    JsonNode measure(
            BenchmarkNetwork network,
            Map<String, Object> description,
            int batch,
            GpuMode mode,
            String variant,
            double seconds,
            int device)
            throws IOException {
        Map<String, Object> question = new LinkedHashMap<>();
        question.put("ask", "train");
        question.put("name", network.toString());
        question.put("network", description);
        question.put("input", network.input(batch).toArray());
        question.put("classes", network.classes());
        question.put("mode", mode.toString());
        question.put("variant", variant);
        question.put("seconds", seconds);
        question.put("device", device);
        question.put("rate", GpuTraining.RATE);
        question.put("momentum", GpuTraining.MOMENTUM);
        question.put("weight_decay", GpuTraining.WEIGHT_DECAY);
        return ask(question);
    }

    private JsonNode ask(Map<String, ?> question) throws IOException {
        questions.write(JSON.writeValueAsString(question));
        questions.write('\n');
        questions.flush();
        // What PyTorch prints by itself is no answer.
        for (String line = answers.readLine(); line != null; line = answers.readLine()) {
            if (line.startsWith("{")) {
                JsonNode answer = JSON.readTree(line);
                if (answer.has("error")) {
                    throw new TenonException("PyTorch: " + answer.get("error").asText());
                }
                return answer;
            }
        }
        throw new TenonException("PyTorch: the process ended without an answer (its standard error says why)");
    }

    /** Both sides must train the same network. */
    static void requireEqual(BenchmarkNetwork network, GpuTraining.Result ours, JsonNode peer) {
        long theirs = peer.get("parameters").asLong();
        if (theirs != ours.parameters()) {
            throw new TenonException(network + ": both sides must have the same learned parameters: tenon="
                    + ours.parameters() + ", pytorch=" + theirs);
        }
    }

    static List<Double> stepSeconds(JsonNode answer) {
        return JSON.convertValue(
                answer.get("step_seconds"), JSON.getTypeFactory().constructCollectionType(List.class, Double.class));
    }

    @Override
    public void close() {
        try {
            questions.close();
        } catch (IOException e) {
            // It has ended by itself.
        }
        process.destroy();
    }
}
