package tenon.apps.onnx;

import java.util.List;
import java.util.Map;

/**
 * One operation of a graph.
 *
 * @param inputs names of values and initializers; empty for an optional input that is left out
 * @param attributes Long, Float or {@code List<Long>} by name
 */
public record GraphNode(String name, String type, List<String> inputs, String output, Map<String, Object> attributes) {
    GraphNode withOutput(String newOutput) {
        return new GraphNode(name, type, inputs, newOutput, attributes);
    }
}
