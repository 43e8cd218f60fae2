package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import tenon.engine.DType;

/**
 * The inner loops of batch normalization, most over one line of {@code width} elements: one row [C] of a matrix, or several rows that follow each other in
 * memory. Per-channel numbers come as arrays with one entry per element of the line. Places in memory are counted in elements of the kernels' dtype, F32
 * or BF16; all arithmetic is in F32.
 *
 * <p>Each loop of the vector versions is a small method of its own: in larger ones the compiler gives up inlining and boxes every vector.
 */
interface NormKernels {
    /** The vector version for {@code dtype} where {@link VectorApi} is used. */
    static NormKernels of(DType dtype) {
        if (!VectorApi.isUsed()) {
            return new ScalarNormKernels(dtype);
        }
        return dtype == DType.BF16 ? new Bf16NormKernels() : new F32NormKernels();
    }

    /** Adds x − pivot to {@code sums} and its square to {@code squares}, over several lines that follow each other. */
    void moments(MemorySegment x, long at, int lines, int width, float[] pivot, float[] sums, float[] squares);

    /** y = (x − mean)·scale + shift, at least 0 with {@code relu}; NaN is kept. */
    void normalize(MemorySegment x, long at, MemorySegment y, long yAt, int width, NormLine line, boolean relu);

    /** As {@link #normalize}, with the shortcut, at the places of x as y is, added before the ReLU. */
    void normalizeAdd(
            MemorySegment x, MemorySegment shortcut, MemorySegment y, long at, int width, NormLine line, boolean relu);

    /**
     * Adds g to {@code sums} and g·(x − mean) to {@code products}.
     *
     * @param relu counts g only where the normalized x is positive
     */
    void reduce(
            MemorySegment x,
            long at,
            MemorySegment g,
            long gAt,
            int width,
            NormLine line,
            boolean relu,
            float[] sums,
            float[] products);

    /**
     * As {@link #reduce}, counting g only where the forward result y is positive; all are at the places of x.
     *
     * @param masked out: g where y is positive, else 0; may be g
     */
    void reduceMasking(
            MemorySegment x,
            MemorySegment y,
            MemorySegment g,
            MemorySegment masked,
            long at,
            int width,
            NormLine line,
            float[] sums,
            float[] products);

    /**
     * gradX = g·scale + (x − mean)·slope + offset; gradX is at the places of x and may be g.
     *
     * @param relu takes g as 0 where the normalized x is not positive
     */
    void apply(
            MemorySegment x,
            long at,
            MemorySegment g,
            long gAt,
            MemorySegment gradX,
            int width,
            NormLine line,
            boolean relu);
}
