package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.FLOATS;
import static tenon.engine.backend.cpu.Lanes.L;
import static tenon.engine.backend.cpu.Lanes.load;
import static tenon.engine.backend.cpu.Lanes.loadBf16;
import static tenon.engine.backend.cpu.Lanes.storeBf16;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import tenon.engine.DType;

/** {@link NormKernels} with the Vector API for BF16. */
final class Bf16NormKernels implements NormKernels {
    private final ScalarNormKernels scalar = new ScalarNormKernels(DType.BF16);

    @Override
    public void moments(
            MemorySegment x, long start, long lines, int width, float[] pivot, float[] sums, float[] squares) {
        int bound = FLOATS.loopBound(width);
        long line = 0;
        // Four lines at a time, so that the sums are loaded and stored a quarter as often.
        for (; line + 4 <= lines; line += 4) {
            long at0 = start + line * width;
            long at1 = at0 + width;
            long at2 = at1 + width;
            long at3 = at2 + width;
            for (int i = 0; i < bound; i += L) {
                FloatVector p = load(pivot, i);
                FloatVector a = loadBf16(x, at0 + i).sub(p);
                FloatVector b = loadBf16(x, at1 + i).sub(p);
                FloatVector c = loadBf16(x, at2 + i).sub(p);
                FloatVector d = loadBf16(x, at3 + i).sub(p);
                load(sums, i).add(a.add(b).add(c.add(d))).intoArray(sums, i);
                FloatVector ab = a.fma(a, b.mul(b));
                FloatVector cd = c.fma(c, d.mul(d));
                load(squares, i).add(ab.add(cd)).intoArray(squares, i);
            }
        }
        for (; line < lines; line++) {
            long at = start + line * width;
            for (int i = 0; i < bound; i += L) {
                FloatVector a = loadBf16(x, at + i).sub(load(pivot, i));
                load(sums, i).add(a).intoArray(sums, i);
                a.fma(a, load(squares, i)).intoArray(squares, i);
            }
        }
        scalar.moments(x, start, lines, bound, width, pivot, sums, squares);
    }

    private static FloatVector normalized(FloatVector x, NormLine line, int i) {
        return x.sub(load(line.mean, i)).fma(load(line.scale, i), load(line.shift, i));
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
        int bound = FLOATS.loopBound(width);
        for (long l = 0; l < lines; l++) {
            long from = start + l * width;
            long to = yStart + l * yStride;
            if (shortcut != null) {
                for (int i = 0; i < bound; i += L) {
                    FloatVector z = normalized(loadBf16(x, from + i), line, i).add(loadBf16(shortcut, from + i));
                    storeBf16(relu ? Lanes.relu(z) : z, y, to + i);
                }
            } else if (relu) {
                for (int i = 0; i < bound; i += L) {
                    storeBf16(Lanes.relu(normalized(loadBf16(x, from + i), line, i)), y, to + i);
                }
            } else {
                for (int i = 0; i < bound; i += L) {
                    storeBf16(normalized(loadBf16(x, from + i), line, i), y, to + i);
                }
            }
        }
        scalar.normalize(x, start, shortcut, y, yStart, yStride, lines, bound, width, line, relu);
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
        int bound = FLOATS.loopBound(width);
        long l = 0;
        if (h == null && mask != Mask.OUTPUT) {
            boolean relu = mask == Mask.NORMALIZED;
            for (; l + 4 <= lines; l += 4) {
                long x0 = start + l * width;
                long g0 = gStart + l * gStride;
                if (relu) {
                    reduceRelu(x, x0, g, g0, gStride, bound, width, line, sums, products);
                } else {
                    reduceAll(x, x0, g, g0, gStride, bound, width, line, sums, products);
                }
            }
        }
        for (; l < lines; l++) {
            long xAt = start + l * width;
            long gAt = gStart + l * gStride;
            for (int i = 0; i < bound; i += L) {
                FloatVector centred = loadBf16(x, xAt + i).sub(load(line.mean, i));
                FloatVector gradient = loadBf16(g, gAt + i);
                if (mask == Mask.OUTPUT) {
                    gradient = Lanes.where(loadBf16(y, xAt + i), gradient);
                } else if (mask == Mask.NORMALIZED) {
                    gradient = masked(centred, gradient, line, i);
                }
                load(sums, i).add(gradient).intoArray(sums, i);
                gradient.fma(centred, load(products, i)).intoArray(products, i);
                if (h != null) {
                    storeBf16(gradient, h, xAt + i);
                }
            }
        }
        scalar.reduce(x, start, y, g, gStart, gStride, h, lines, bound, width, line, mask, sums, products);
    }

    private static FloatVector masked(FloatVector centred, FloatVector gradient, NormLine line, int i) {
        return Lanes.where(centred.fma(load(line.scale, i), load(line.shift, i)), gradient);
    }

    private static void reduceAll(
            MemorySegment x,
            long x0,
            MemorySegment g,
            long g0,
            long gStride,
            int bound,
            int width,
            NormLine line,
            float[] sums,
            float[] products) {
        for (int i = 0; i < bound; i += L) {
            FloatVector mean = load(line.mean, i);
            FloatVector a = loadBf16(g, g0 + i);
            FloatVector b = loadBf16(g, g0 + gStride + i);
            FloatVector c = loadBf16(g, g0 + 2 * gStride + i);
            FloatVector d = loadBf16(g, g0 + 3 * gStride + i);
            load(sums, i).add(a.add(b).add(c.add(d))).intoArray(sums, i);
            FloatVector ab = a.fma(
                    loadBf16(x, x0 + i).sub(mean),
                    b.mul(loadBf16(x, x0 + width + i).sub(mean)));
            FloatVector cd = c.fma(
                    loadBf16(x, x0 + 2L * width + i).sub(mean),
                    d.mul(loadBf16(x, x0 + 3L * width + i).sub(mean)));
            load(products, i).add(ab.add(cd)).intoArray(products, i);
        }
    }

    private static void reduceRelu(
            MemorySegment x,
            long x0,
            MemorySegment g,
            long g0,
            long gStride,
            int bound,
            int width,
            NormLine line,
            float[] sums,
            float[] products) {
        for (int i = 0; i < bound; i += L) {
            FloatVector mean = load(line.mean, i);
            FloatVector scale = load(line.scale, i);
            FloatVector shift = load(line.shift, i);
            FloatVector xa = loadBf16(x, x0 + i).sub(mean);
            FloatVector xb = loadBf16(x, x0 + width + i).sub(mean);
            FloatVector xc = loadBf16(x, x0 + 2L * width + i).sub(mean);
            FloatVector xd = loadBf16(x, x0 + 3L * width + i).sub(mean);
            FloatVector a = Lanes.where(xa.fma(scale, shift), loadBf16(g, g0 + i));
            FloatVector b = Lanes.where(xb.fma(scale, shift), loadBf16(g, g0 + gStride + i));
            FloatVector c = Lanes.where(xc.fma(scale, shift), loadBf16(g, g0 + 2 * gStride + i));
            FloatVector d = Lanes.where(xd.fma(scale, shift), loadBf16(g, g0 + 3 * gStride + i));
            load(sums, i).add(a.add(b).add(c.add(d))).intoArray(sums, i);
            FloatVector ab = a.fma(xa, b.mul(xb));
            FloatVector cd = c.fma(xc, d.mul(xd));
            load(products, i).add(ab.add(cd)).intoArray(products, i);
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
        int bound = FLOATS.loopBound(width);
        for (long l = 0; l < lines; l++) {
            long xAt = start + l * width;
            long gAt = gStart + l * gStride;
            if (masked) {
                for (int i = 0; i < bound; i += L) {
                    FloatVector centred = loadBf16(x, xAt + i).sub(load(line.mean, i));
                    storeBf16(gradient(centred, loadBf16(g, gAt + i), line, i), gradX, xAt + i);
                }
            } else {
                for (int i = 0; i < bound; i += L) {
                    FloatVector centred = loadBf16(x, xAt + i).sub(load(line.mean, i));
                    FloatVector gradient = masked(centred, loadBf16(g, gAt + i), line, i);
                    storeBf16(gradient(centred, gradient, line, i), gradX, xAt + i);
                }
            }
        }
        scalar.apply(x, start, g, gStart, gStride, gradX, lines, bound, width, line, masked);
    }

    private static FloatVector gradient(FloatVector centred, FloatVector gradient, NormLine line, int i) {
        return gradient.fma(load(line.scale, i), centred.fma(load(line.slope, i), load(line.offset, i)));
    }
}
