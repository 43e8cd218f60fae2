package tenon.io.augment;

import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.ShapeException;

/**
 * Brings an image to a fixed size whatever its aspect ratio: the mean over the covered area where it does not grow in either direction, bilinear
 * otherwise. Draws nothing.
 *
 * @param height rows of the result; width its columns
 */
public record Squash(int height, int width) implements Augmenter {
    public Squash {
        if (height < 1 || width < 1) {
            throw new ShapeException("squash: size must be positive: height=" + height + ", width=" + width);
        }
    }

    @Override
    public void apply(FloatImage in, FloatImage out, Rng rng) {
        if (height <= in.height() && width <= in.width()) {
            Resample.area(in, Window.whole(in), out, height, width);
        } else {
            Resample.bilinear(in, Window.whole(in), out, height, width);
        }
    }

    @Override
    public Shape outputShape(Shape input) {
        return Shape.of(height, width, input.dim(2));
    }
}
