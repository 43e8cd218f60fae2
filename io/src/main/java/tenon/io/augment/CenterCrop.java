package tenon.io.augment;

import tenon.engine.Rng;
import tenon.engine.ShapeException;

/**
 * Cuts the middle, beginning at ⌊(size − crop) / 2⌋: the view of an image that evaluation takes where training takes {@link RandomCrop}. Draws
 * nothing.
 *
 * @param height rows of the result; width its columns
 */
public record CenterCrop(int height, int width) implements Crop {
    public CenterCrop {
        if (height < 1 || width < 1) {
            throw new ShapeException("centre crop: size must be positive: height=" + height + ", width=" + width);
        }
    }

    @Override
    public int padding() {
        return 0;
    }

    @Override
    public int top(int inHeight, Rng rng) {
        return place("height", inHeight, height);
    }

    @Override
    public int left(int inWidth, Rng rng) {
        return place("width", inWidth, width);
    }

    private static int place(String side, int size, int crop) {
        if (size < crop) {
            throw new ShapeException("centre crop: the image must be at least as large as the crop: image " + side + "="
                    + size + ", crop " + side + "=" + crop);
        }
        return (size - crop) / 2;
    }
}
