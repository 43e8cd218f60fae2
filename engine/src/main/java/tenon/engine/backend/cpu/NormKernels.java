package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import tenon.engine.DType;

/**
 * The inner loops of batch normalization over {@code lines} lines of {@code width} elements each. A line is one row [C], or several rows that follow each
 * other in memory; per-channel numbers come as arrays with one entry per element of a line. Places in memory are counted in elements of the kernels'
 * dtype, F32 or BF16; all arithmetic is in F32.
 */
interface NormKernels {
    /** The vector version for {@code dtype} if {@link FloatKernels#best} is one. */
    static NormKernels of(DType dtype) {
        if (!(FloatKernels.best() instanceof VectorKernels)) {
            return new ScalarNormKernels(dtype);
        }
        return dtype == DType.BF16 ? new Bf16NormKernels() : new F32NormKernels();
    }

    /** Where a ReLU's gradient passes. */
    enum Mask {
        EVERYWHERE,
        /** Where the normalized value, computed again from the input, is positive. */
        NORMALIZED,
        /** Where the forward result is positive. */
        OUTPUT
    }

    /** Adds x − pivot to {@code sums} and its square to {@code squares}. */
    void moments(MemorySegment x, long start, long lines, int width, float[] pivot, float[] sums, float[] squares);

    /**
     * y = (x − mean)·scale + shift, plus the shortcut if there is one, at least 0 with {@code relu}; NaN is kept.
     *
     * @param shortcut at the places of x, or null
     * @param yStride elements between the starts of two lines of y
     */
    void normalize(
            MemorySegment x,
            long start,
            MemorySegment shortcut,
            MemorySegment y,
            long yStart,
            long yStride,
            long lines,
            int width,
            NormLine line,
            boolean relu);

    /**
     * Adds the masked gradient h to {@code sums} and h·(x − mean) to {@code products}.
     *
     * @param y the forward result, at the places of x, for {@link Mask#OUTPUT}; else null
     * @param h out: h, at the places of x; may be g; or null
     */
    void reduce(
            MemorySegment x,
            long start,
            MemorySegment y,
            MemorySegment g,
            long gStart,
            long gStride,
            MemorySegment h,
            long lines,
            int width,
            NormLine line,
            Mask mask,
            float[] sums,
            float[] products);

    /** gradX = g·scale + (x − mean)·slope + offset, with g masked unless it is already; gradX is at the places of x and may be g. */
    void apply(
            MemorySegment x,
            long start,
            MemorySegment g,
            long gStart,
            long gStride,
            MemorySegment gradX,
            long lines,
            int width,
            NormLine line,
            boolean masked);
}
