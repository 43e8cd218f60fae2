package tenon.layers;

import tenon.engine.Shape;
import tenon.engine.ShapeException;

/**
 * Number of connections of one unit, which initializers scale by.
 *
 * @param in inputs that one output sums over
 * @param out outputs that one input reaches; for grouped convolutions, as in PyTorch and MXNet, counted over the filters of all groups
 */
public record Fan(long in, long out) {
    /** Dense weight [O, I]: in = I, out = O. Convolution weight [K, R, S, C / groups]: in = R·S·C / groups, out = R·S·K. */
    public static Fan of(Shape weight) {
        return switch (weight.rank()) {
            case 2 -> new Fan(weight.dim(1), weight.dim(0));
            case 4 -> {
                long window = (long) weight.dim(1) * weight.dim(2);
                yield new Fan(window * weight.dim(3), window * weight.dim(0));
            }
            default ->
                throw new ShapeException("fan: the weight must be [O, I] or [K, R, S, C / groups]: weight=" + weight);
        };
    }
}
