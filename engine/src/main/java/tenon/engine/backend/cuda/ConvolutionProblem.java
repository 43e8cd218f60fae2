package tenon.engine.backend.cuda;

import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.ops.ConvSpec;

/**
 * One call of a library, as plans are made for it: shapes are image [N, H, W, C], filter [K, R, S, C / groups], result [N, P, Q, K].
 *
 * @param pass of which the one computed is the result, the image or the filter
 * @param dtype of image, filter and result, but for
 * @param computed the dtype of the one that is computed
 * @param top padding above; {@code bottom}, {@code left} and {@code right} likewise
 * @param bias whether an F32 bias is added forward
 * @param relu whether the forward result goes through a ReLU
 * @param tf32 whether F32 factors may be rounded to TF32
 */
record ConvolutionProblem(
        Pass pass,
        DType dtype,
        DType computed,
        int n,
        int h,
        int w,
        int c,
        int k,
        int r,
        int s,
        int p,
        int q,
        int top,
        int bottom,
        int left,
        int right,
        int strideH,
        int strideW,
        int dilationH,
        int dilationW,
        int groups,
        boolean bias,
        boolean relu,
        boolean tf32) {

    /** Padded as the spec says, without bias and ReLU, and computed in the operands' dtype. */
    static ConvolutionProblem of(
            Pass pass, ConvSpec spec, Shape image, Shape filter, Shape result, DType dtype, boolean tf32) {
        return new ConvolutionProblem(
                pass,
                dtype,
                dtype,
                image.dim(0),
                image.dim(1),
                image.dim(2),
                image.dim(3),
                filter.dim(0),
                filter.dim(1),
                filter.dim(2),
                result.dim(1),
                result.dim(2),
                spec.padding().top(),
                spec.padding().bottom(),
                spec.padding().left(),
                spec.padding().right(),
                spec.strideH(),
                spec.strideW(),
                spec.dilationH(),
                spec.dilationW(),
                spec.groups(),
                false,
                false,
                tf32);
    }

    /**
     * With the bottom and right padding that the windows use, which is less than given where a stride leaves a rest; where top and left padding may stand for them too (the result has
     * as many rows and columns then), with those.
     */
    ConvolutionProblem trimmed() {
        return withPadding(
                h,
                w,
                top,
                used(h, top, bottom, p, r, strideH, dilationH),
                left,
                used(w, left, right, q, s, strideW, dilationW));
    }

    /** Padding after the end: as much as before the beginning where that gives {@code count} windows, else what the last window needs. */
    private static int used(int size, int before, int after, int count, int kernel, int stride, int dilation) {
        int extent = dilation * (kernel - 1) + 1;
        if ((size + 2 * before - extent) / stride + 1 == count && size + 2 * before >= extent) {
            return before;
        }
        return Math.clamp((count - 1) * stride + extent - size - before, 0, after);
    }

    /** Of an image that is padded already, as far as windows reach. */
    ConvolutionProblem padded() {
        return withPadding(
                (p - 1) * strideH + dilationH * (r - 1) + 1, (q - 1) * strideW + dilationW * (s - 1) + 1, 0, 0, 0, 0);
    }

    private ConvolutionProblem withPadding(
            int height, int width, int newTop, int newBottom, int newLeft, int newRight) {
        return new ConvolutionProblem(
                pass, dtype, computed, n, height, width, c, k, r, s, p, q, newTop, newBottom, newLeft, newRight,
                strideH, strideW, dilationH, dilationW, groups, bias, relu, tf32);
    }

    ConvolutionProblem withPass(Pass newPass) {
        return new ConvolutionProblem(
                newPass, dtype, computed, n, h, w, c, k, r, s, p, q, top, bottom, left, right, strideH, strideW,
                dilationH, dilationW, groups, bias, relu, tf32);
    }

    ConvolutionProblem withComputed(DType newComputed) {
        return new ConvolutionProblem(
                pass,
                dtype,
                newComputed,
                n,
                h,
                w,
                c,
                k,
                r,
                s,
                p,
                q,
                top,
                bottom,
                left,
                right,
                strideH,
                strideW,
                dilationH,
                dilationW,
                groups,
                bias,
                relu,
                tf32);
    }

    /** With BF16 operands as F32, which TF32 holds without rounding. */
    ConvolutionProblem widened() {
        return new ConvolutionProblem(
                pass, DType.F32, DType.F32, n, h, w, c, k, r, s, p, q, top, bottom, left, right, strideH, strideW,
                dilationH, dilationW, groups, bias, relu, true);
    }

    /** With bias and ReLU in the same call. */
    ConvolutionProblem withEpilogue(boolean newBias, boolean newRelu) {
        return new ConvolutionProblem(
                pass, dtype, computed, n, h, w, c, k, r, s, p, q, top, bottom, left, right, strideH, strideW, dilationH,
                dilationW, groups, newBias, newRelu, tf32);
    }

    boolean isSymmetric() {
        return top == bottom && left == right;
    }

    long imageCount() {
        return (long) n * h * w * c;
    }

    long filterCount() {
        return (long) k * r * s * (c / groups);
    }

    long resultCount() {
        return (long) n * p * q * k;
    }
}
