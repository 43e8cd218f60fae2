package tenon.io.augment;

import tenon.engine.Rng;
import tenon.engine.ShapeException;

/**
 * Overwrites a rectangle of random area, aspect ratio and place with random values, whole numbers uniform in 0…255 (Zhong et al. 2020, "Random
 * erasing data augmentation", algorithm 1). Random values are the paper's choice (RE-R): as good there as the mean, and better than black, which on
 * pictures with a black ground would erase nothing. One draw decides whether; then come two for each of up to ten tries to fit a rectangle, row and
 * column, and one for each value. Where none fits, the image stays as it is.
 *
 * @param probability that an image is changed, in [0, 1]
 * @param minArea smallest area of the rectangle as a share of the image's; maxArea largest
 * @param minRatio smallest width / height of the rectangle; maxRatio largest. Uniform in its logarithm, as in torchvision and timm
 */
public record RandomErasing(double probability, double minArea, double maxArea, double minRatio, double maxRatio)
        implements Augmenter {
    public RandomErasing {
        if (!(probability >= 0 && probability <= 1) || !RandomWindow.isValid(minArea, maxArea, minRatio, maxRatio)) {
            throw new ShapeException("random erasing: probability must lie in [0, 1], areas rise in (0, 1], ratios be"
                    + " positive and rise: probability=" + probability + ", area=" + minArea + "…" + maxArea
                    + ", ratio=" + minRatio + "…" + maxRatio);
        }
    }

    /** 2 % to a third of the area, width / height from 0.3 to 3.3. */
    public RandomErasing(double probability) {
        this(probability, 0.02, 1 / 3.0, 0.3, 3.3);
    }

    @Override
    public void apply(FloatImage in, FloatImage out, Rng rng) {
        Tone.copy(in, out);
        if (rng.nextUniform() < probability) {
            Window window = RandomWindow.draw(in.height(), in.width(), minArea, maxArea, minRatio, maxRatio, rng);
            if (window != null) {
                erase(out, window, rng);
            }
        }
    }

    private static void erase(FloatImage image, Window window, Rng rng) {
        int channels = image.channels();
        float[] values = image.values();
        for (int y = window.top(); y < window.top() + window.height(); y++) {
            int first = (y * image.width() + window.left()) * channels;
            for (int i = first; i < first + window.width() * channels; i++) {
                values[i] = rng.nextInt(256);
            }
        }
    }
}
