package tenon.benchmarks.floor;

import tenon.engine.Shape;
import tenon.engine.ops.Activation;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.PoolSpec;

/** An op of a network's forward pass. What goes backwards follows from these. Fused ops are recorded as their parts. */
sealed interface Op {
    /** Dotted name of the layer. */
    String layer();

    /** Memory that ops share, by number, seen in a certain shape: a view has the number of what it views. */
    record Value(long id, Shape shape) {}

    /** @param weight [K, R, S, C / groups] */
    record Convolution(String layer, ConvSpec spec, Value input, Shape weight, boolean bias, Value output)
            implements Op {
        /** Floating-point operations of one pass. */
        long flops() {
            return 2 * output.shape().elementCount() * weight.dim(1) * weight.dim(2) * weight.dim(3);
        }
    }

    /** @param weight [out, in] */
    record Dense(String layer, Value input, Shape weight, boolean bias, Value output) implements Op {
        long flops() {
            return 2 * output.shape().elementCount() * weight.dim(1);
        }
    }

    /** Batch normalization in training. */
    record Norm(String layer, double epsilon, boolean relu, boolean gamma, boolean beta, Value input, Value output)
            implements Op {}

    record Activate(String layer, Activation activation, Value input, Value output) implements Op {}

    /** A slope for each channel. */
    record PRelu(String layer, Value input, Value output) implements Op {}

    record Pool(String layer, boolean max, PoolSpec spec, Value input, Value output) implements Op {}

    record Add(String layer, Value a, Value b, Value output) implements Op {}

    /** All channels of the input become the output's from {@code offset} on. */
    record CopyInto(String layer, Value input, Value output, int offset) implements Op {}

    record Dropout(String layer, Value input, Value output) implements Op {}

    /** The loss. */
    record Softmax(String layer, Value input) implements Op {}
}
