package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.FLOATS;
import static tenon.engine.backend.cpu.Lanes.L;
import static tenon.engine.backend.cpu.Lanes.load;
import static tenon.engine.backend.cpu.Lanes.store;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import tenon.engine.DType;

/** {@link NormKernels} with the Vector API for F32. */
final class F32NormKernels implements NormKernels {
    /** Elements of a line from which it is read as it lies in memory: strips of it are a cache line of each page then, which nothing fetches ahead. */
    private static final int WIDE = 256;

    private final ScalarNormKernels scalar = new ScalarNormKernels(DType.F32);

    @Override
    public void moments(MemorySegment x, long at, int lines, int width, float[] pivot, float[] sums, float[] squares) {
        int bound = FLOATS.loopBound(width);
        if (width >= WIDE) {
            for (int l = 0; l < lines; l++) {
                lineMoments(x, at + (long) l * width, bound, pivot, sums, squares);
            }
            scalar.moments(x, at, lines, bound, width, pivot, sums, squares);
            return;
        }
        int i = 0;
        for (; i + 2 * L <= bound; i += 2 * L) {
            pairMoments(x, at + i, lines, width, pivot, sums, squares, i);
        }
        if (i < bound) {
            moments(x, at + i, lines, width, pivot, sums, squares, i);
        }
        scalar.moments(x, at, lines, bound, width, pivot, sums, squares);
    }

    private static void lineMoments(MemorySegment x, long at, int bound, float[] pivot, float[] sums, float[] squares) {
        for (int i = 0; i < bound; i += L) {
            FloatVector difference = load(x, at + i).sub(load(pivot, i));
            load(sums, i).add(difference).intoArray(sums, i);
            difference.fma(difference, load(squares, i)).intoArray(squares, i);
        }
    }

    /** Two vectors of channels, with their sums in registers. */
    private static void pairMoments(
            MemorySegment x, long at, int lines, int width, float[] pivot, float[] sums, float[] squares, int i) {
        FloatVector pivot0 = load(pivot, i);
        FloatVector pivot1 = load(pivot, i + L);
        FloatVector sum0 = load(sums, i);
        FloatVector sum1 = load(sums, i + L);
        FloatVector square0 = load(squares, i);
        FloatVector square1 = load(squares, i + L);
        for (int l = 0; l < lines; l++) {
            long start = at + (long) l * width;
            FloatVector difference0 = load(x, start).sub(pivot0);
            FloatVector difference1 = load(x, start + L).sub(pivot1);
            sum0 = sum0.add(difference0);
            sum1 = sum1.add(difference1);
            square0 = difference0.fma(difference0, square0);
            square1 = difference1.fma(difference1, square1);
        }
        sum0.intoArray(sums, i);
        sum1.intoArray(sums, i + L);
        square0.intoArray(squares, i);
        square1.intoArray(squares, i + L);
    }

    private static void moments(
            MemorySegment x, long at, int lines, int width, float[] pivot, float[] sums, float[] squares, int i) {
        FloatVector center = load(pivot, i);
        FloatVector sum = load(sums, i);
        FloatVector square = load(squares, i);
        for (int l = 0; l < lines; l++) {
            FloatVector difference = load(x, at + (long) l * width).sub(center);
            sum = sum.add(difference);
            square = difference.fma(difference, square);
        }
        sum.intoArray(sums, i);
        square.intoArray(squares, i);
    }

    @Override
    public void normalize(
            MemorySegment x, long at, MemorySegment y, long yAt, int width, NormLine line, float ceiling) {
        int bound = FLOATS.loopBound(width);
        if (ceiling > 0) {
            clamp(x, at, y, yAt, line.mean, line.scale, line.shift, bound, ceiling);
        } else {
            normalize(x, at, y, yAt, line.mean, line.scale, line.shift, bound);
        }
        scalar.normalize(x, at, null, y, yAt, bound, width, line, ceiling);
    }

    private static void normalize(
            MemorySegment x,
            long at,
            MemorySegment y,
            long yAt,
            float[] mean,
            float[] scale,
            float[] shift,
            int bound) {
        for (int i = 0; i < bound; i += L) {
            store(load(x, at + i).sub(load(mean, i)).fma(load(scale, i), load(shift, i)), y, yAt + i);
        }
    }

    private static void clamp(
            MemorySegment x,
            long at,
            MemorySegment y,
            long yAt,
            float[] mean,
            float[] scale,
            float[] shift,
            int bound,
            float ceiling) {
        for (int i = 0; i < bound; i += L) {
            FloatVector value = load(x, at + i).sub(load(mean, i)).fma(load(scale, i), load(shift, i));
            store(Lanes.clamp(value, ceiling), y, yAt + i);
        }
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
        int bound = FLOATS.loopBound(width);
        if (ceiling > 0) {
            addClamped(x, shortcut, y, at, line.mean, line.scale, line.shift, bound, ceiling);
        } else {
            add(x, shortcut, y, at, line.mean, line.scale, line.shift, bound);
        }
        scalar.normalize(x, at, shortcut, y, at, bound, width, line, ceiling);
    }

    private static void add(
            MemorySegment x,
            MemorySegment shortcut,
            MemorySegment y,
            long at,
            float[] mean,
            float[] scale,
            float[] shift,
            int bound) {
        for (int i = 0; i < bound; i += L) {
            FloatVector value = load(x, at + i).sub(load(mean, i)).fma(load(scale, i), load(shift, i));
            store(value.add(load(shortcut, at + i)), y, at + i);
        }
    }

    private static void addClamped(
            MemorySegment x,
            MemorySegment shortcut,
            MemorySegment y,
            long at,
            float[] mean,
            float[] scale,
            float[] shift,
            int bound,
            float ceiling) {
        for (int i = 0; i < bound; i += L) {
            FloatVector value = load(x, at + i).sub(load(mean, i)).fma(load(scale, i), load(shift, i));
            store(Lanes.clamp(value.add(load(shortcut, at + i)), ceiling), y, at + i);
        }
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
        int bound = FLOATS.loopBound(width);
        if (ceiling > 0) {
            reduceClamped(x, at, g, gAt, line.mean, line.scale, line.shift, sums, products, bound, ceiling);
        } else {
            reduce(x, at, g, gAt, line.mean, sums, products, bound);
        }
        scalar.reduce(x, at, g, gAt, bound, width, line, ceiling, sums, products);
    }

    private static void reduce(
            MemorySegment x,
            long at,
            MemorySegment g,
            long gAt,
            float[] mean,
            float[] sums,
            float[] products,
            int bound) {
        for (int i = 0; i < bound; i += L) {
            FloatVector gradient = load(g, gAt + i);
            load(sums, i).add(gradient).intoArray(sums, i);
            gradient.fma(load(x, at + i).sub(load(mean, i)), load(products, i)).intoArray(products, i);
        }
    }

    private static void reduceClamped(
            MemorySegment x,
            long at,
            MemorySegment g,
            long gAt,
            float[] mean,
            float[] scale,
            float[] shift,
            float[] sums,
            float[] products,
            int bound,
            float ceiling) {
        for (int i = 0; i < bound; i += L) {
            FloatVector centred = load(x, at + i).sub(load(mean, i));
            FloatVector gradient = Lanes.inside(centred.fma(load(scale, i), load(shift, i)), ceiling, load(g, gAt + i));
            load(sums, i).add(gradient).intoArray(sums, i);
            gradient.fma(centred, load(products, i)).intoArray(products, i);
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
        int bound = FLOATS.loopBound(width);
        reduceMasking(x, y, g, masked, at, line.mean, sums, products, bound, ceiling);
        scalar.reduceMasking(x, y, g, masked, at, bound, width, line, ceiling, sums, products);
    }

    private static void reduceMasking(
            MemorySegment x,
            MemorySegment y,
            MemorySegment g,
            MemorySegment masked,
            long at,
            float[] mean,
            float[] sums,
            float[] products,
            int bound,
            float ceiling) {
        for (int i = 0; i < bound; i += L) {
            FloatVector gradient = Lanes.inside(load(y, at + i), ceiling, load(g, at + i));
            store(gradient, masked, at + i);
            load(sums, i).add(gradient).intoArray(sums, i);
            gradient.fma(load(x, at + i).sub(load(mean, i)), load(products, i)).intoArray(products, i);
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
        int bound = FLOATS.loopBound(width);
        if (ceiling > 0) {
            applyClamped(
                    x, at, g, gAt, gradX, line.mean, line.scale, line.shift, line.slope, line.offset, bound, ceiling);
        } else {
            apply(x, at, g, gAt, gradX, line.mean, line.scale, line.slope, line.offset, bound);
        }
        scalar.apply(x, at, g, gAt, gradX, bound, width, line, ceiling);
    }

    private static void apply(
            MemorySegment x,
            long at,
            MemorySegment g,
            long gAt,
            MemorySegment gradX,
            float[] mean,
            float[] scale,
            float[] slope,
            float[] offset,
            int bound) {
        for (int i = 0; i < bound; i += L) {
            FloatVector own = load(x, at + i).sub(load(mean, i)).fma(load(slope, i), load(offset, i));
            store(load(g, gAt + i).fma(load(scale, i), own), gradX, at + i);
        }
    }

    private static void applyClamped(
            MemorySegment x,
            long at,
            MemorySegment g,
            long gAt,
            MemorySegment gradX,
            float[] mean,
            float[] scale,
            float[] shift,
            float[] slope,
            float[] offset,
            int bound,
            float ceiling) {
        for (int i = 0; i < bound; i += L) {
            FloatVector centred = load(x, at + i).sub(load(mean, i));
            FloatVector s = load(scale, i);
            FloatVector gradient = Lanes.inside(centred.fma(s, load(shift, i)), ceiling, load(g, gAt + i));
            store(gradient.fma(s, centred.fma(load(slope, i), load(offset, i))), gradX, at + i);
        }
    }
}
