package tenon.engine.backend.cpu;

/**
 * What the cache keeps per key.
 *
 * @param weights conversion of convolution weights, null for other ops
 */
record Compiled(Executable primitive, WeightLayout weights) implements AutoCloseable {
    Compiled(Executable primitive) {
        this(primitive, null);
    }

    @Override
    public void close() {
        primitive.close();
        if (weights != null) {
            weights.close();
        }
    }
}
