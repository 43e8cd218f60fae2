package tenon.io.augment;

import tenon.engine.Rng;
import tenon.engine.ShapeException;

/**
 * Surrounds the image with black and cuts a window of fixed size at a uniformly random place. With padding p and the image's own size it is a random
 * shift by up to p pixels; with padding 0 and a smaller size, a random patch. Two draws: row, then column.
 *
 * @param height rows of the result; width its columns
 * @param padding pixels added on each of the four sides
 */
public record RandomCrop(int height, int width, int padding) implements Crop {
    public RandomCrop {
        if (height < 1 || width < 1 || padding < 0) {
            throw new ShapeException("random crop: size must be positive and padding at least 0: height=" + height
                    + ", width=" + width + ", padding=" + padding);
        }
    }

    /** A random patch, without padding. */
    public RandomCrop(int height, int width) {
        this(height, width, 0);
    }

    @Override
    public int top(int inHeight, Rng rng) {
        return place("height", inHeight, height, rng);
    }

    @Override
    public int left(int inWidth, Rng rng) {
        return place("width", inWidth, width, rng);
    }

    private int place(String side, int size, int crop, Rng rng) {
        int room = size + 2 * padding - crop;
        if (room < 0) {
            throw new ShapeException("random crop: the padded image must be at least as large as the crop: image "
                    + side + "=" + size + ", padding=" + padding + ", crop " + side + "=" + crop);
        }
        return rng.nextInt(room + 1) - padding;
    }
}
