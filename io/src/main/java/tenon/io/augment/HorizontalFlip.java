package tenon.io.augment;

import tenon.engine.Rng;
import tenon.engine.ShapeException;

/**
 * Mirrors left and right. One draw.
 *
 * @param probability that an image is mirrored, in [0, 1]
 */
public record HorizontalFlip(double probability) implements Augmenter {
    public HorizontalFlip {
        if (!(probability >= 0 && probability <= 1)) {
            throw new ShapeException("horizontal flip: probability must lie in [0, 1]: probability=" + probability);
        }
    }

    /** Half of the images. */
    public HorizontalFlip() {
        this(0.5);
    }

    /** Whether the next image is mirrored. */
    public boolean draw(Rng rng) {
        return rng.nextUniform() < probability;
    }

    @Override
    public void apply(FloatImage in, FloatImage out, Rng rng) {
        Crop.cut(in, out, 0, 0, in.height(), in.width());
        if (draw(rng)) {
            mirror(out);
        }
    }

    /** Mirrors in place. */
    static void mirror(FloatImage image) {
        int channels = image.channels();
        int rowLength = image.width() * channels;
        float[] values = image.values();
        for (int row = 0; row < image.size(); row += rowLength) {
            int right = row + rowLength - channels;
            for (int left = row; left < right; left += channels, right -= channels) {
                for (int c = 0; c < channels; c++) {
                    float swap = values[left + c];
                    values[left + c] = values[right + c];
                    values[right + c] = swap;
                }
            }
        }
    }
}
