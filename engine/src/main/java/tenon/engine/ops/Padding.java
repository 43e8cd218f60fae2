package tenon.engine.ops;

import tenon.engine.ShapeException;

/** Rows and columns of padding around an image; top and bottom, left and right may differ. */
public record Padding(int top, int bottom, int left, int right) {
    public static final Padding NONE = new Padding(0, 0, 0, 0);

    public Padding {
        if (top < 0 || bottom < 0 || left < 0 || right < 0) {
            throw new ShapeException("padding: every side must be at least 0: top=" + top + ", bottom=" + bottom
                    + ", left=" + left + ", right=" + right);
        }
    }

    /** The same padding on all four sides. */
    public static Padding of(int all) {
        return new Padding(all, all, all, all);
    }

    public static Padding of(int vertical, int horizontal) {
        return new Padding(vertical, vertical, horizontal, horizontal);
    }

    /**
     * The padding of TensorFlow and Keras "same": output size = ceil(size / stride), an odd surplus goes to the bottom and right.
     */
    public static Padding same(int height, int width, int kernelH, int kernelW, int stride) {
        int v = total(height, kernelH, stride);
        int h = total(width, kernelW, stride);
        return new Padding(v / 2, v - v / 2, h / 2, h - h / 2);
    }

    private static int total(int size, int kernel, int stride) {
        int out = (size + stride - 1) / stride;
        return Math.max(0, (out - 1) * stride + kernel - size);
    }
}
