package tenon.io.augment;

import java.util.Arrays;
import org.assertj.core.data.Offset;
import tenon.engine.Rng;

/** Small images, and augmenters applied to them. */
final class Images {
    static final Offset<Float> CLOSE = Offset.offset(1e-3f);

    /** 3×3, one channel: 1 2 3 / 4 5 6 / 7 8 9. */
    static final FloatImage NINE = FloatImage.of(3, 3, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9);

    private Images() {}

    static float[] values(FloatImage image) {
        return Arrays.copyOf(image.values(), image.size());
    }

    static float[] apply(Augmenter augmenter, FloatImage in, Rng rng) {
        FloatImage out = new FloatImage();
        augmenter.apply(in, out, rng);
        return values(out);
    }

    static Rng rng(long seed) {
        return new Rng(seed, 1, 0);
    }

    /** Random whole numbers 0…255. */
    static FloatImage noise(int height, int width, int channels, Rng rng) {
        FloatImage noise = new FloatImage().resize(height, width, channels);
        for (int i = 0; i < noise.size(); i++) {
            noise.values()[i] = rng.nextInt(256);
        }
        return noise;
    }

    /** One channel; pixel (y, x) has the value y·width + x. */
    static FloatImage numbered(int height, int width) {
        FloatImage image = new FloatImage().resize(height, width, 1);
        for (int i = 0; i < image.size(); i++) {
            image.values()[i] = i;
        }
        return image;
    }
}
