package tenon.engine.backend.cpu;

import java.util.Arrays;

/**
 * How a matrix [rows, columns] is cut into lines for {@link NormKernels}, and the per-channel numbers of one op, repeated for each row of a line. Lines are a whole
 * number of vectors long wherever the channel count allows it at a moderate length, so that odd channel counts leave no remainder.
 */
final class NormLine {
    private static final int MIN_WIDTH = 512;
    private static final int MAX_WIDTH = 4096;

    int columns;
    /** Rows of a line. */
    int rows;

    int width;
    /** Fewest rows that are a whole number of vectors, or 1 where they would be too many. */
    int period;

    float[] mean = {};
    float[] scale = {};
    float[] shift = {};
    float[] slope = {};
    float[] offset = {};

    /** Lines of one row each if {@code strided}: then rows do not follow each other in memory. */
    void layOut(int newColumns, boolean strided) {
        columns = newColumns;
        int vectorRows = Lanes.L / gcd(newColumns, Lanes.L);
        period = vectorRows * newColumns > MAX_WIDTH ? 1 : vectorRows;
        rows = strided ? 1 : Math.ceilDiv(MIN_WIDTH, period * newColumns) * period;
        width = Math.max(rows, period) * newColumns;
        if (mean.length < width) {
            mean = new float[width];
            scale = new float[width];
            shift = new float[width];
            slope = new float[width];
            offset = new float[width];
        }
    }

    private static int gcd(int a, int b) {
        return b == 0 ? a : gcd(b, a % b);
    }

    /** Repeats the first row's numbers. */
    void repeat(float[] numbers) {
        for (int start = columns; start < width; start += columns) {
            System.arraycopy(numbers, 0, numbers, start, columns);
        }
    }

    /** Adds the sums over the elements of {@code count} rows to those of the channels, and clears them. */
    void fold(float[] sums, int count, double[] totals, int first) {
        for (int start = 0; start < count * columns; start += columns) {
            for (int c = 0; c < columns; c++) {
                totals[first + c] += sums[start + c];
            }
        }
        Arrays.fill(sums, 0, count * columns, 0);
    }
}
