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
    public void moments(MemorySegment x, long at, int lines, int width, float[] pivot, float[] sums, float[] squares) {
        moments(x, at, lines, 0, width, pivot, sums, squares);
    }

    /** As the method above, from element {@code first} of the line on; so are all that follow. */
    void moments(
            MemorySegment x, long at, int lines, int first, int width, float[] pivot, float[] sums, float[] squares) {
        for (int i = first; i < width; i++) {
            for (int l = 0; l < lines; l++) {
                float difference = get(x, at + (long) l * width + i) - pivot[i];
                sums[i] += difference;
                squares[i] = Math.fma(difference, difference, squares[i]);
            }
        }
    }

    @Override
    public void normalize(
            MemorySegment x, long at, MemorySegment y, long yAt, int width, NormLine line, float ceiling) {
        normalize(x, at, null, y, yAt, 0, width, line, ceiling);
    }

    @Override
    public void normalizeAdd(
            MemorySegment x,
            MemorySegment shortcut,
            MemorySegment y,
            long at,
            int width,
            NormLine line,
            float ceiling) {
        normalize(x, at, shortcut, y, at, 0, width, line, ceiling);
    }

    /** @param shortcut may be null */
    void normalize(
            MemorySegment x,
            long at,
            MemorySegment shortcut,
            MemorySegment y,
            long yAt,
            int first,
            int width,
            NormLine line,
            float ceiling) {
        for (int i = first; i < width; i++) {
            float value = normalized(get(x, at + i) - line.mean[i], line, i);
            if (shortcut != null) {
                value += get(shortcut, at + i);
            }
            set(y, yAt + i, ceiling > 0 ? ActivationLoops.clamp(value, ceiling) : value);
        }
    }

    private static float normalized(float centred, NormLine line, int i) {
        return Math.fma(centred, line.scale[i], line.shift[i]);
    }

    @Override
    public void reduce(
            MemorySegment x,
            long at,
            MemorySegment g,
            long gAt,
            int width,
            NormLine line,
            float ceiling,
            float[] sums,
            float[] products) {
        reduce(x, at, g, gAt, 0, width, line, ceiling, sums, products);
    }

    void reduce(
            MemorySegment x,
            long at,
            MemorySegment g,
            long gAt,
            int first,
            int width,
            NormLine line,
            float ceiling,
            float[] sums,
            float[] products) {
        for (int i = first; i < width; i++) {
            float centred = get(x, at + i) - line.mean[i];
            float gradient = ceiling == 0 || ActivationLoops.isInside(normalized(centred, line, i), ceiling)
                    ? get(g, gAt + i)
                    : 0;
            sums[i] += gradient;
            products[i] = Math.fma(gradient, centred, products[i]);
        }
    }

    @Override
    public void reduceMasking(
            MemorySegment x,
            MemorySegment y,
            MemorySegment g,
            MemorySegment masked,
            long at,
            int width,
            NormLine line,
            float ceiling,
            float[] sums,
            float[] products) {
        reduceMasking(x, y, g, masked, at, 0, width, line, ceiling, sums, products);
    }

    void reduceMasking(
            MemorySegment x,
            MemorySegment y,
            MemorySegment g,
            MemorySegment masked,
            long at,
            int first,
            int width,
            NormLine line,
            float ceiling,
            float[] sums,
            float[] products) {
        for (int i = first; i < width; i++) {
            float gradient = ActivationLoops.isInside(get(y, at + i), ceiling) ? get(g, at + i) : 0;
            set(masked, at + i, gradient);
            sums[i] += gradient;
            products[i] = Math.fma(gradient, get(x, at + i) - line.mean[i], products[i]);
        }
    }

    @Override
    public void apply(
            MemorySegment x,
            long at,
            MemorySegment g,
            long gAt,
            MemorySegment gradX,
            int width,
            NormLine line,
            float ceiling) {
        apply(x, at, g, gAt, gradX, 0, width, line, ceiling);
    }

    void apply(
            MemorySegment x,
            long at,
            MemorySegment g,
            long gAt,
            MemorySegment gradX,
            int first,
            int width,
            NormLine line,
            float ceiling) {
        for (int i = first; i < width; i++) {
            float centred = get(x, at + i) - line.mean[i];
            float gradient = ceiling == 0 || ActivationLoops.isInside(normalized(centred, line, i), ceiling)
                    ? get(g, gAt + i)
                    : 0;
            float own = Math.fma(centred, line.slope[i], line.offset[i]);
            set(gradX, at + i, Math.fma(gradient, line.scale[i], own));
        }
    }
}
