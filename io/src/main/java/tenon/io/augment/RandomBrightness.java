package tenon.io.augment;

import tenon.engine.Rng;

/**
 * Multiplies all values by one factor, uniform in [1 − max, 1 + max) and at least 0, and keeps them in 0…255 (PyTorch's {@code adjust_brightness}).
 * One draw.
 */
public record RandomBrightness(double max) implements Augmenter {
    public RandomBrightness {
        Tone.check("random brightness", max, 255);
    }

    @Override
    public void apply(FloatImage in, FloatImage out, Rng rng) {
        apply(in, out, Tone.factor(max, rng));
    }

    static void apply(FloatImage in, FloatImage out, float factor) {
        int size = in.size();
        float[] from = in.values();
        float[] to = out.resize(in.height(), in.width(), in.channels()).values();
        for (int i = 0; i < size; i++) {
            to[i] = Tone.clamp(factor * from[i]);
        }
    }
}
