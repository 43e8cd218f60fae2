package tenon.apps.onnx;

import java.util.List;
import java.util.function.Supplier;
import tenon.engine.Shape;
import tenon.layers.Module;

/**
 * What a network computes in evaluation mode, as a graph of ONNX operations over images [N, C, H, W].
 *
 * @param input shape of one batch as Tenon has it, [N, H, W, C]
 * @param output shape of the result
 */
public record NetworkGraph(Shape input, Shape output, List<GraphNode> nodes, List<Initializer> initializers) {
    static final String INPUT = "input";
    static final String OUTPUT = "logits";

    /**
     * Graphs are equal where networks of equal weights compute the same.
     *
     * @param network makes the network when called
     * @param input [N, H, W, C]
     * @throws tenon.engine.TenonException when the network does what has no ONNX form here
     */
    public static NetworkGraph of(Supplier<Module> network, Shape input) {
        return GraphRecorder.record(network, input);
    }
}
