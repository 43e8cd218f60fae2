package tenon.engine.ops;

import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;

/**
 * Geometry of 2-D pooling over [N, H, W, C].
 *
 * <p>P = floor((H + top + bottom − kernelH) / strideH) + 1, or ceil in ceil mode, where a last window that would start in the bottom or right
 * padding is dropped (PyTorch's rule). Max pooling ignores padding. Average pooling divides by the window's size clipped to the padded image when
 * {@code countPadding} is set, else by the number of real elements.
 */
public record PoolSpec(
        int kernelH, int kernelW, int strideH, int strideW, Padding padding, boolean ceilMode, boolean countPadding) {
    public PoolSpec {
        if (kernelH < 1 || kernelW < 1 || strideH < 1 || strideW < 1) {
            throw new ShapeException("pool2d: kernel and stride must be at least 1: kernel=" + kernelH + "x" + kernelW
                    + ", stride=" + strideH + "x" + strideW);
        }
        if (padding.top() >= kernelH
                || padding.bottom() >= kernelH
                || padding.left() >= kernelW
                || padding.right() >= kernelW) {
            throw new ShapeException(
                    "pool2d: padding must be smaller than the kernel, or a window could lie in padding only: kernel="
                            + kernelH + "x" + kernelW + ", padding=" + padding);
        }
    }

    /** Square window without padding, floor mode. */
    public static PoolSpec of(int kernel, int stride) {
        return of(kernel, stride, 0);
    }

    /** Square window, symmetric padding, floor mode, padding not counted in averages. */
    public static PoolSpec of(int kernel, int stride, int padding) {
        return new PoolSpec(kernel, kernel, stride, stride, Padding.of(padding), false, false);
    }

    public PoolSpec withCeilMode(boolean on) {
        return new PoolSpec(kernelH, kernelW, strideH, strideW, padding, on, countPadding);
    }

    public PoolSpec withCountPadding(boolean on) {
        return new PoolSpec(kernelH, kernelW, strideH, strideW, padding, ceilMode, on);
    }

    public Shape outputShape(String op, Shape input) {
        String where = TenonException.where(op);
        if (input.rank() != 4) {
            throw new ShapeException(where + ": input must be [N, H, W, C]: input=" + input);
        }
        int p = outputSize(input.dim(1), padding.top(), padding.bottom(), kernelH, strideH);
        int q = outputSize(input.dim(2), padding.left(), padding.right(), kernelW, strideW);
        if (p < 1 || q < 1) {
            throw new ShapeException(where + ": the padded input must be at least as large as the window: input="
                    + input + ", kernel=" + kernelH + "x" + kernelW + ", padding=" + padding);
        }
        return Shape.of(input.dim(0), p, q, input.dim(3));
    }

    private int outputSize(int size, int before, int after, int kernel, int stride) {
        int room = size + before + after - kernel;
        if (room < 0) {
            return 0;
        }
        int out = (ceilMode ? (room + stride - 1) / stride : room / stride) + 1;
        return ceilMode && (out - 1) * stride >= size + before ? out - 1 : out;
    }
}
