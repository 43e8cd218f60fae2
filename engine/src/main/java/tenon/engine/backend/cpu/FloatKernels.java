package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;

/**
 * The inner loops of this back-end over native memory, each on the elements (or rows) [from, to) so that threads can share the work. The scalar
 * version defines them; the vector version computes the same bits except in sums, whose order differs.
 */
interface FloatKernels {
    /** The vector version if the incubating module is there and {@code -Dtenon.vector} is not false. */
    static FloatKernels best() {
        boolean module = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
        boolean wanted = !"false".equals(System.getProperty("tenon.vector"));
        return module && wanted ? new VectorKernels() : new ScalarKernels();
    }

    /** out = a + b; out may be a or b. */
    void add(MemorySegment a, MemorySegment b, MemorySegment out, long from, long to);

    /** As {@link #add} on BF16, rounding the F32 sum. */
    void addBf16(MemorySegment a, MemorySegment b, MemorySegment out, long from, long to);

    /** out = max(a + b, 0), NaN kept. */
    void addRelu(MemorySegment a, MemorySegment b, MemorySegment out, long from, long to);

    void multiply(MemorySegment a, MemorySegment b, MemorySegment out, long from, long to);

    /** out = factor·in. */
    void scale(MemorySegment in, float factor, MemorySegment out, long from, long to);

    /** out = in + shift. */
    void shift(MemorySegment in, float shift, MemorySegment out, long from, long to);

    /** out[r, c] = a[r, c] + row[c] for rows [from, to). */
    void addRows(MemorySegment a, MemorySegment row, MemorySegment out, long columns, long from, long to);

    void multiplyRows(MemorySegment a, MemorySegment row, MemorySegment out, long columns, long from, long to);

    /** out = max(in, 0), NaN kept. */
    void relu(MemorySegment in, MemorySegment out, long from, long to);

    /** gradIn = gradOut where output &gt; 0, else 0. */
    void reluBackward(MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to);

    /** out = min(max(in, 0), 6), NaN kept. */
    void relu6(MemorySegment in, MemorySegment out, long from, long to);

    /** gradIn = gradOut where 0 &lt; output &lt; 6, else 0. */
    void relu6Backward(MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to);

    /**
     * Max pooling of output rows [from, to), counted over all images. A NaN wins, else the first of equals in row-major order.
     *
     * @param winners U8 of the output's shape, the winner's position in its window; or null
     */
    void maxPool(MaxPoolGeometry g, MemorySegment in, MemorySegment out, MemorySegment winners, long from, long to);

    /** Gradient of {@link #maxPool} for images [from, to). */
    void maxPoolBackward(
            MaxPoolGeometry g, MemorySegment gradOut, MemorySegment winners, MemorySegment gradIn, long from, long to);

    void fill(MemorySegment out, float value, long from, long to);

    /** Copies columns [fromOffset, fromOffset + count) of a matrix with {@code fromColumns} columns to those at {@code toOffset} of another. */
    void copyColumns(
            MemorySegment in,
            long fromColumns,
            long fromOffset,
            MemorySegment out,
            long toColumns,
            long toOffset,
            long count,
            long from,
            long to);

    boolean isFinite(MemorySegment in, long from, long to);

    /** Sum in F64. */
    double sum(MemorySegment in, long from, long to);

    /** sums[offset + c] = sum over rows [from, to) of in[r, c], in F64. */
    void columnSums(MemorySegment in, int columns, long from, long to, double[] sums, int offset);

    /**
     * out = 0 where draw i of the sequence is below the threshold, else factor·in.
     *
     * @param threshold of the upper 24 bits of a draw
     * @param from a multiple of 4, where a Philox block starts
     */
    void dropout(
            MemorySegment in,
            MemorySegment out,
            int threshold,
            float factor,
            long seed,
            int step,
            int stream,
            long from,
            long to);

    /** Rounds to bfloat16, to nearest even. */
    void toBf16(MemorySegment in, MemorySegment out, long from, long to);

    void fromBf16(MemorySegment in, MemorySegment out, long from, long to);
}
