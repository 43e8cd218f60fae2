package tenon.io.augment;

import java.util.Arrays;
import tenon.engine.Rng;
import tenon.engine.Shape;

/**
 * A window of fixed size. Where it lies is asked apart from cutting, first {@link #top}, then {@link #left}, so that a decoder may read the window
 * alone and gets the same pixels.
 */
public sealed interface Crop extends Augmenter permits RandomCrop, CenterCrop {
    /** Rows of the window. */
    int height();

    /** Columns of the window. */
    int width();

    /** Black pixels around the image into which the window may reach. */
    int padding();

    /**
     * First row of the window in an image of {@code inHeight} rows; negative where the window begins in the padding above.
     *
     * @throws tenon.engine.ShapeException when the window does not fit; for {@link #left} likewise
     */
    int top(int inHeight, Rng rng);

    /** First column of the window in an image of {@code inWidth} columns, like {@link #top}. */
    int left(int inWidth, Rng rng);

    @Override
    default void apply(FloatImage in, FloatImage out, Rng rng) {
        int top = top(in.height(), rng);
        int left = left(in.width(), rng);
        cut(in, out, top, left, height(), width());
    }

    @Override
    default Shape outputShape(Shape input) {
        // The random place does not matter, whether the window fits does.
        Rng anywhere = new Rng(0, 0, 0);
        top(input.dim(0), anywhere);
        left(input.dim(1), anywhere);
        return Shape.of(height(), width(), input.dim(2));
    }

    /** Copies a window; what lies outside the image becomes 0, black. */
    static void cut(FloatImage in, FloatImage out, int top, int left, int height, int width) {
        int channels = in.channels();
        float[] to = out.resize(height, width, channels).values();
        boolean inside = top >= 0 && left >= 0 && top + height <= in.height() && left + width <= in.width();
        if (!inside) {
            Arrays.fill(to, 0, out.size(), 0f);
        }
        int firstX = Math.max(0, -left);
        int count = Math.max(0, Math.min(width, in.width() - left) - firstX) * channels;
        int endY = Math.min(height, in.height() - top);
        // Where padding is larger than the window, nothing of the image may lie inside.
        for (int y = Math.max(0, -top); count > 0 && y < endY; y++) {
            System.arraycopy(
                    in.values(),
                    ((y + top) * in.width() + firstX + left) * channels,
                    to,
                    (y * width + firstX) * channels,
                    count);
        }
    }
}
