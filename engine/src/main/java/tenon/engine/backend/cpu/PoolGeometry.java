package tenon.engine.backend.cpu;

import tenon.engine.Shape;
import tenon.engine.ops.PoolSpec;

/**
 * Sizes of a pooling from [N, h, w, c] to [N, p, q, c]. Window positions count row by row from the window's own corner.
 *
 * @param bottom padding below, which matters only for what an average divides by
 */
record PoolGeometry(
        int h,
        int w,
        int c,
        int p,
        int q,
        int kernelH,
        int kernelW,
        int strideH,
        int strideW,
        int top,
        int left,
        int bottom,
        int right,
        boolean countPadding) {
    static PoolGeometry of(PoolSpec spec, Shape input, Shape output) {
        return new PoolGeometry(
                input.dim(1),
                input.dim(2),
                input.dim(3),
                output.dim(1),
                output.dim(2),
                spec.kernelH(),
                spec.kernelW(),
                spec.strideH(),
                spec.strideW(),
                spec.padding().top(),
                spec.padding().left(),
                spec.padding().bottom(),
                spec.padding().right(),
                spec.countPadding());
    }

    /** Whether a byte holds every position of the window. */
    boolean fitsByte() {
        return kernelH * kernelW <= 256;
    }

    /** First window row that lies in the image, for output row {@code y}. */
    int firstRow(int y) {
        return Math.max(0, top - y * strideH);
    }

    /** End of the window rows that lie in the image. */
    int endRow(int y) {
        return Math.min(kernelH, h + top - y * strideH);
    }

    int firstColumn(int x) {
        return Math.max(0, left - x * strideW);
    }

    int endColumn(int x) {
        return Math.min(kernelW, w + left - x * strideW);
    }

    /** Index of the first channel of the input pixel at window position (i, j) of output pixel (y, x) of image n; may lie outside for positions outside. */
    long input(long n, int y, int x, int i, int j) {
        return ((n * h + (long) y * strideH - top + i) * w + (long) x * strideW - left + j) * c;
    }

    /** First output row whose window holds input row {@code i}. */
    int firstWindowRow(int i) {
        return first(i + top, kernelH, strideH);
    }

    /** End of the output rows whose windows hold input row {@code i}. */
    int endWindowRow(int i) {
        return Math.min(p, (i + top) / strideH + 1);
    }

    int firstWindowColumn(int j) {
        return first(j + left, kernelW, strideW);
    }

    int endWindowColumn(int j) {
        return Math.min(q, (j + left) / strideW + 1);
    }

    /** The smallest number whose multiple of the stride is above {@code at} − {@code kernel}. */
    private static int first(int at, int kernel, int stride) {
        return at < kernel ? 0 : (at - kernel) / stride + 1;
    }

    /** Index of the first channel of output pixel (y, x) of image n. */
    long output(long n, int y, int x) {
        return ((n * p + y) * q + x) * c;
    }

    /** Position in the window of output pixel (y, x) of the input pixel (i, j). */
    int position(int y, int x, int i, int j) {
        return (i + top - y * strideH) * kernelW + j + left - x * strideW;
    }

    /** What an average over the window of output pixel (y, x) multiplies the sum by: the window is clipped to the image, or to its padding if that counts. */
    float share(int y, int x) {
        int rows = countPadding ? Math.min(kernelH, h + bottom + top - y * strideH) : endRow(y) - firstRow(y);
        int columns = countPadding ? Math.min(kernelW, w + right + left - x * strideW) : endColumn(x) - firstColumn(x);
        return 1f / (rows * columns);
    }
}
