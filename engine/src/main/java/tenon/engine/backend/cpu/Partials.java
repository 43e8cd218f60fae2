package tenon.engine.backend.cpu;

/**
 * Re-used F64 memory for partial sums; its monitor guards the contents. A sum is split into stripes by the element count alone, so its bits do not depend on
 * the thread count.
 */
final class Partials {
    private static final long ROWS_PER_STRIPE = 256;
    private static final int MAX_STRIPES = 64;

    private double[] memory = new double[0];

    /** At least {@code count} elements of undefined contents. */
    double[] get(int count) {
        if (memory.length < count) {
            memory = new double[count];
        }
        return memory;
    }

    /** How many stripes to split {@code count} rows or elements into: at least 1. */
    static int stripes(long count) {
        return (int) Math.min(MAX_STRIPES, Math.max(1, count / ROWS_PER_STRIPE));
    }
}
