package tenon.io.augment;

import tenon.engine.Rng;

/**
 * Moves every pixel away from, or towards, its own luma g: f·v + (1 − f)·g, kept in 0…255, with f uniform in [1 − max, 1 + max) and at least 0
 * (PyTorch's {@code adjust_saturation}). Grey images stay as they are. One draw.
 */
public record RandomSaturation(double max) implements Augmenter {
    public RandomSaturation {
        Tone.check("random saturation", max, 255);
    }

    @Override
    public void apply(FloatImage in, FloatImage out, Rng rng) {
        apply(in, out, Tone.factor(max, rng));
    }

    static void apply(FloatImage in, FloatImage out, float factor) {
        if (in.channels() != 3) {
            Tone.copy(in, out);
            return;
        }
        int size = in.size();
        float[] from = in.values();
        float[] to = out.resize(in.height(), in.width(), 3).values();
        for (int i = 0; i < size; i += 3) {
            float offset = (1 - factor) * Tone.luma(from[i], from[i + 1], from[i + 2]);
            to[i] = Tone.clamp(factor * from[i] + offset);
            to[i + 1] = Tone.clamp(factor * from[i + 1] + offset);
            to[i + 2] = Tone.clamp(factor * from[i + 2] + offset);
        }
    }
}
