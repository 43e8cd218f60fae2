package tenon.io.augment;

import tenon.engine.Rng;

/**
 * Moves all values away from, or towards, the image's mean luma m: f·v + (1 − f)·m, kept in 0…255, with f uniform in [1 − max, 1 + max) and at least
 * 0 (PyTorch's {@code adjust_contrast}). One draw.
 */
public record RandomContrast(double max) implements Augmenter {
    public RandomContrast {
        Tone.check("random contrast", max, 255);
    }

    @Override
    public void apply(FloatImage in, FloatImage out, Rng rng) {
        apply(in, out, Tone.factor(max, rng));
    }

    static void apply(FloatImage in, FloatImage out, float factor) {
        int size = in.size();
        float[] from = in.values();
        float[] to = out.resize(in.height(), in.width(), in.channels()).values();
        float offset = (1 - factor) * meanLuma(in);
        for (int i = 0; i < size; i++) {
            to[i] = Tone.clamp(factor * from[i] + offset);
        }
    }

    private static float meanLuma(FloatImage image) {
        int channels = image.channels();
        float[] values = image.values();
        double sum = 0;
        for (int i = 0; i < image.size(); i += channels) {
            sum += channels == 3 ? Tone.luma(values[i], values[i + 1], values[i + 2]) : values[i];
        }
        return (float) (sum / (image.size() / channels));
    }
}
