package tenon.engine.backend.cpu;

/**
 * One compiled oneDNN primitive.
 *
 * @param op e.g. {@code conv2d forward}
 * @param key what it was compiled for: spec, shapes, dtype
 * @param implementation oneDNN's name of the chosen kernel; one that contains {@code ref} is plain loops, a hundred times slower
 */
public record PrimitiveReport(String op, String key, String implementation) {
    public boolean isReference() {
        return implementation.contains("ref");
    }
}
