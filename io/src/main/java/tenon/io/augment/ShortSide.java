package tenon.io.augment;

import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.ShapeException;

/**
 * Scales an image, with its proportions kept, until its shorter side has a length; the longer one becomes ⌊longer·side / shorter⌋. Pixels as {@link Squash}
 * makes them. Draws nothing.
 */
public record ShortSide(int side) implements Augmenter {
    public ShortSide {
        if (side < 1) {
            throw new ShapeException("short side: the length must be positive: side=" + side);
        }
    }

    @Override
    public void apply(FloatImage in, FloatImage out, Rng rng) {
        int shorter = Math.min(in.height(), in.width());
        new Squash(scaled(in.height(), shorter), scaled(in.width(), shorter)).apply(in, out, rng);
    }

    @Override
    public Shape outputShape(Shape input) {
        int shorter = Math.min(input.dim(0), input.dim(1));
        return Shape.of(scaled(input.dim(0), shorter), scaled(input.dim(1), shorter), input.dim(2));
    }

    private int scaled(int length, int shorter) {
        return Math.toIntExact((long) length * side / shorter);
    }
}
