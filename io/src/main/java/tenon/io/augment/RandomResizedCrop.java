package tenon.io.augment;

import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.ShapeException;

/**
 * Cuts a window of random area and aspect ratio and resizes it, bilinearly, to a fixed size (Szegedy et al., "Going deeper with convolutions", 2014,
 * section 6; the window is chosen as by PyTorch's {@code torchvision.transforms.RandomResizedCrop}, resized as by it without antialiasing).
 *
 * @param height rows of the result; width its columns
 * @param minArea smallest area of the window as a share of the image's; maxArea largest
 * @param minRatio smallest width / height of the window; maxRatio largest
 */
public record RandomResizedCrop(int height, int width, double minArea, double maxArea, double minRatio, double maxRatio)
        implements Augmenter {
    public RandomResizedCrop {
        if (height < 1 || width < 1 || !RandomWindow.isValid(minArea, maxArea, minRatio, maxRatio)) {
            throw new ShapeException(
                    "random resized crop: size must be positive, areas rising in (0, 1], ratios positive and rising:"
                            + " height=" + height + ", width=" + width + ", area=" + minArea + "…" + maxArea
                            + ", ratio=" + minRatio + "…" + maxRatio);
        }
    }

    /** PyTorch's ranges: 8 to 100 % of the area, width / height from 3/4 to 4/3. */
    public RandomResizedCrop(int height, int width) {
        this(height, width, 0.08, 1, 3 / 4.0, 4 / 3.0);
    }

    /**
     * The window in the next image, of the given size. Tries up to ten times to fit a drawn area and ratio (two draws each) and then draws row and
     * column; where none fits it is the largest centred window whose ratio is allowed, which takes no further draw.
     */
    public Window draw(int inHeight, int inWidth, Rng rng) {
        Window window = RandomWindow.draw(inHeight, inWidth, minArea, maxArea, minRatio, maxRatio, rng);
        if (window != null) {
            return window;
        }
        double ratio = (double) inWidth / inHeight;
        int w = ratio > maxRatio ? atLeastOne(inHeight * maxRatio) : inWidth;
        int h = ratio < minRatio ? atLeastOne(inWidth / minRatio) : inHeight;
        return new Window((inHeight - h) / 2, (inWidth - w) / 2, h, w);
    }

    private static int atLeastOne(double size) {
        return Math.max(1, (int) Math.rint(size));
    }

    @Override
    public void apply(FloatImage in, FloatImage out, Rng rng) {
        Resample.bilinear(in, draw(in.height(), in.width(), rng), out, height, width);
    }

    @Override
    public Shape outputShape(Shape input) {
        return Shape.of(height, width, input.dim(2));
    }
}
