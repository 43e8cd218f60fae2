package tenon.engine.backend.cpu;

import tenon.engine.Shape;
import tenon.engine.ops.PoolSpec;

/** Sizes of a max pooling from [N, h, w, c] to [N, p, q, c]. Window positions count row by row from the window's own corner. */
record MaxPoolGeometry(
        int h, int w, int c, int p, int q, int kernelH, int kernelW, int strideH, int strideW, int top, int left) {
    static MaxPoolGeometry of(PoolSpec spec, Shape input, Shape output) {
        return new MaxPoolGeometry(
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
                spec.padding().left());
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
}
