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
        int width = in.width();
        int channels = in.channels();
        out.resize(in.height(), width, channels);
        if (!draw(rng)) {
            System.arraycopy(in.values(), 0, out.values(), 0, in.size());
            return;
        }
        for (int row = 0; row < in.size(); row += width * channels) {
            for (int x = 0; x < width; x++) {
                System.arraycopy(
                        in.values(), row + x * channels, out.values(), row + (width - 1 - x) * channels, channels);
            }
        }
    }
}
