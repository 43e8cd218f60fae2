package tenon.apps.onnx;

import java.util.List;

/**
 * A constant of a graph.
 *
 * @param shape in the graph
 * @param source name of the network's tensor; null for {@code numbers}
 * @param numbers 64-bit integers, or null
 */
public record Initializer(String name, List<Long> shape, Order order, String source, List<Long> numbers) {
    /** How a tensor's elements become the graph's. */
    public enum Order {
        SAME,
        /** Filters [K, R, S, C] to [K, C, R, S]. */
        CHANNELS_FIRST,
        /** There is no tensor: a frozen gamma. */
        ONES
    }
}
