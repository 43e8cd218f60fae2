package tenon.engine.ops;

import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;

/**
 * Geometry of a 2-D convolution (cross-correlation, as all frameworks call it).
 *
 * <p>Dimension letters: input [N, H, W, C], weight [K, R, S, C / groups], output [N, P, Q, K] with
 * P = floor((H + top + bottom − dilationH·(R − 1) − 1) / strideH) + 1, Q likewise (Dumoulin and Visin, "A guide to convolution arithmetic",
 * relationship 15).
 *
 * @param groups channels are split into this many independent groups; C and K must be multiples; groups = C is depthwise
 */
public record ConvSpec(int strideH, int strideW, Padding padding, int dilationH, int dilationW, int groups) {
    public ConvSpec {
        if (strideH < 1 || strideW < 1 || dilationH < 1 || dilationW < 1 || groups < 1) {
            throw new ShapeException("conv2d: stride, dilation and groups must be at least 1: stride=" + strideH + "x"
                    + strideW + ", dilation=" + dilationH + "x" + dilationW + ", groups=" + groups);
        }
    }

    /** Square stride and symmetric padding, no dilation, one group. */
    public static ConvSpec of(int stride, int padding) {
        return new ConvSpec(stride, stride, Padding.of(padding), 1, 1, 1);
    }

    public ConvSpec withGroups(int newGroups) {
        return new ConvSpec(strideH, strideW, padding, dilationH, dilationW, newGroups);
    }

    public ConvSpec withDilation(int dilation) {
        return new ConvSpec(strideH, strideW, padding, dilation, dilation, groups);
    }

    public ConvSpec withPadding(Padding newPadding) {
        return new ConvSpec(strideH, strideW, newPadding, dilationH, dilationW, groups);
    }

    /** Shape of the output; checks input, weight and optional bias against each other. */
    public Shape outputShape(Shape input, Shape weight, Shape bias) {
        String where = TenonException.where("conv2d");
        if (input.rank() != 4) {
            throw new ShapeException(where + ": input must be [N, H, W, C]: input=" + input);
        }
        if (weight.rank() != 4) {
            throw new ShapeException(where + ": weight must be [K, R, S, C / groups]: weight=" + weight);
        }
        int c = input.dim(3);
        int k = weight.dim(0);
        if (c % groups != 0 || k % groups != 0) {
            throw new ShapeException(where + ": input channels and filters must be multiples of groups: channels=" + c
                    + ", filters=" + k + ", groups=" + groups);
        }
        if (weight.dim(3) * groups != c) {
            throw new ShapeException(where + ": weight must have C / groups = " + c / groups + " channels: input="
                    + input + ", weight=" + weight + ", groups=" + groups);
        }
        if (bias != null && !bias.equals(Shape.of(k))) {
            throw new ShapeException(where + ": bias must be [K] = [" + k + "]: bias=" + bias);
        }
        int p = outputSize(input.dim(1) + padding.top() + padding.bottom(), weight.dim(1), strideH, dilationH);
        int q = outputSize(input.dim(2) + padding.left() + padding.right(), weight.dim(2), strideW, dilationW);
        if (p < 1 || q < 1) {
            throw new ShapeException(
                    where + ": the padded input must be at least as large as the dilated kernel: input=" + input
                            + ", kernel=" + weight.dim(1) + "x" + weight.dim(2) + ", padding=" + padding + ", dilation="
                            + dilationH + "x" + dilationW);
        }
        return Shape.of(input.dim(0), p, q, k);
    }

    private static int outputSize(int padded, int kernel, int stride, int dilation) {
        int room = padded - dilation * (kernel - 1) - 1;
        return room < 0 ? 0 : room / stride + 1;
    }
}
