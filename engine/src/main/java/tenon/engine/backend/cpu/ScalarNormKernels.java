package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import tenon.engine.DType;

/** Plain loops: the definition, the remainders of the vector versions, and the fallback without the Vector API. */
final class ScalarNormKernels implements NormKernels {
    private final boolean bf16;

    ScalarNormKernels(DType dtype) {
        bf16 = dtype == DType.BF16;
    }

    private float get(MemorySegment segment, long i) {
        return bf16 ? DType.bf16ToFloat(segment.getAtIndex(ValueLayout.JAVA_SHORT, i)) : Floats.get(segment, i);
    }

    private void set(MemorySegment segment, long i, float value) {
        if (bf16) {
            segment.setAtIndex(ValueLayout.JAVA_SHORT, i, DType.floatToBf16(value));
        } else {
            Floats.set(segment, i, value);
        }
    }

    @Override
    public void moments(
            MemorySegment x, long start, long lines, int width, float[] pivot, float[] sums, float[] squares) {
        moments(x, start, lines, 0, width, pivot, sums, squares);
    }

    /** As the method above, for the elements of each line from {@code first} on. */
    void moments(
            MemorySegment x,
            long start,
            long lines,
            int first,
            int width,
            float[] pivot,
            float[] sums,
            float[] squares) {
        for (int i = first; i < width; i++) {
            for (long l = 0; l < lines; l++) {
                float value = get(x, start + l * width + i) - pivot[i];
                sums[i] += value;
                squares[i] += value * value;
            }
        }
    }

    @Override
    public void normalize(
            MemorySegment x,
            long start,
            MemorySegment shortcut,
            MemorySegment y,
            long yStart,
            long yStride,
            long lines,
            int width,
            NormLine line,
            boolean relu) {
        normalize(x, start, shortcut, y, yStart, yStride, lines, 0, width, line, relu);
    }

    /** As the method above, for the elements of each line from {@code first} on. */
    void normalize(
            MemorySegment x,
            long start,
            MemorySegment shortcut,
            MemorySegment y,
            long yStart,
            long yStride,
            long lines,
            int first,
            int width,
            NormLine line,
            boolean relu) {
        for (int i = first; i < width; i++) {
            for (long l = 0; l < lines; l++) {
                long from = start + l * width + i;
                float value = normalized(get(x, from) - line.mean[i], line, i);
                if (shortcut != null) {
                    value += get(shortcut, from);
                }
                set(y, yStart + l * yStride + i, relu && value <= 0 ? 0 : value);
            }
        }
    }

    /** Fused as in the vector versions: a mask computed again must come out the same. */
    private static float normalized(float centred, NormLine line, int i) {
        return Math.fma(centred, line.scale[i], line.shift[i]);
    }

    @Override
    public void reduce(
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
            float[] products) {
        reduce(x, start, y, g, gStart, gStride, h, lines, 0, width, line, mask, sums, products);
    }

    /** As the method above, for the elements of each line from {@code first} on. */
    void reduce(
            MemorySegment x,
            long start,
            MemorySegment y,
            MemorySegment g,
            long gStart,
            long gStride,
            MemorySegment h,
            long lines,
            int first,
            int width,
            NormLine line,
            Mask mask,
            float[] sums,
            float[] products) {
        for (int i = first; i < width; i++) {
            for (long l = 0; l < lines; l++) {
                long at = start + l * width + i;
                float centred = get(x, at) - line.mean[i];
                boolean passes = switch (mask) {
                    case EVERYWHERE -> true;
                    case NORMALIZED -> normalized(centred, line, i) > 0;
                    case OUTPUT -> get(y, at) > 0;
                };
                float gradient = passes ? get(g, gStart + l * gStride + i) : 0;
                sums[i] += gradient;
                products[i] += gradient * centred;
                if (h != null) {
                    set(h, at, gradient);
                }
            }
        }
    }

    @Override
    public void apply(
            MemorySegment x,
            long start,
            MemorySegment g,
            long gStart,
            long gStride,
            MemorySegment gradX,
            long lines,
            int width,
            NormLine line,
            boolean masked) {
        apply(x, start, g, gStart, gStride, gradX, lines, 0, width, line, masked);
    }

    /** As the method above, for the elements of each line from {@code first} on. */
    void apply(
            MemorySegment x,
            long start,
            MemorySegment g,
            long gStart,
            long gStride,
            MemorySegment gradX,
            long lines,
            int first,
            int width,
            NormLine line,
            boolean masked) {
        for (int i = first; i < width; i++) {
            for (long l = 0; l < lines; l++) {
                long at = start + l * width + i;
                float centred = get(x, at) - line.mean[i];
                boolean passes = masked || normalized(centred, line, i) > 0;
                float gradient = passes ? get(g, gStart + l * gStride + i) : 0;
                set(gradX, at, gradient * line.scale[i] + (centred * line.slope[i] + line.offset[i]));
            }
        }
    }
}
