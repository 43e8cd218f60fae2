package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import tenon.engine.DType;
import tenon.engine.ops.BatchNormSpec;

/**
 * The inner loops of batch normalization, most over one line of {@code width} elements: one row [C] of a matrix, or several rows that follow each other in
 * memory. Per-channel numbers come as arrays with one entry per element of the line. Places in memory are counted in elements of the kernels' dtype, F32
 * or BF16; all arithmetic is in F32. A ceiling is that of {@link BatchNormSpec#ceiling}: of 0 for no activation.
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

    /** y = (x − mean)·scale + shift, clamped to [0, ceiling]; NaN is kept. */
    void normalize(MemorySegment x, long at, MemorySegment y, long yAt, int width, NormLine line, float ceiling);

    /** As {@link #normalize}, with the shortcut, at the places of x as y is, added before the activation. */
    void normalizeAdd(
            MemorySegment x, MemorySegment shortcut, MemorySegment y, long at, int width, NormLine line, float ceiling);

    /**
     * Adds g to {@code sums} and g·(x − mean) to {@code products}.
     *
     * @param ceiling counts g only where the normalized x is above 0 and below the ceiling
     */
    void reduce(
            MemorySegment x,
            long at,
            MemorySegment g,
            long gAt,
            int width,
            NormLine line,
            float ceiling,
            float[] sums,
            float[] products);

    /**
     * As {@link #reduce}, counting g only where the forward result y is above 0 and below the ceiling; all are at the places of x.
     *
     * @param masked out: what was counted of g, else 0; may be g
     */
    void reduceMasking(
            MemorySegment x,
            MemorySegment y,
            MemorySegment g,
            MemorySegment masked,
            long at,
            int width,
            NormLine line,
            float ceiling,
            float[] sums,
            float[] products);

    /**
     * gradX = g·scale + (x − mean)·slope + offset; gradX is at the places of x and may be g.
     *
     * @param ceiling takes g as 0 where the normalized x is not above 0 and below the ceiling
     */
    void apply(
            MemorySegment x,
            long at,
            MemorySegment g,
            long gAt,
            MemorySegment gradX,
            int width,
            NormLine line,
            float ceiling);
}
