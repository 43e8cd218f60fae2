package tenon.engine.backend.cpu;

/**
 * What the cache keeps per key.
 *
 * @param primitive null where oneDNN has no good one and the op goes another way
 * @param weights layout in which the primitive reads or writes weights, null where it has none
 */
record Compiled(Executable primitive, WeightLayout weights) implements AutoCloseable {
    Compiled(Executable primitive) {
        this(primitive, null);
    }

    @Override
    public void close() {
        if (primitive != null) {
            primitive.close();
        }
    }
}
