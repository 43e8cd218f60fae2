package tenon.engine.backend.cpu;

/**
 * What the cache keeps per key.
 *
 * @param weights layout in which the primitive reads or writes weights, null where it has none
 */
record Compiled(Executable primitive, WeightLayout weights) implements AutoCloseable {
    Compiled(Executable primitive) {
        this(primitive, null);
    }

    @Override
    public void close() {
        primitive.close();
    }
}
