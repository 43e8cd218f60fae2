package tenon.io.augment;

import tenon.engine.Rng;

/**
 * Turns the hue of every pixel (of HSV) by the same amount, uniform in [−max, max) turns, and leaves saturation and value as they are (PyTorch's
 * {@code adjust_hue}). Grey images stay as they are. One draw.
 *
 * @param max at most 0.5, half a turn
 */
public record RandomHue(double max) implements Augmenter {
    public RandomHue {
        Tone.check("random hue", max, 0.5);
    }

    @Override
    public void apply(FloatImage in, FloatImage out, Rng rng) {
        apply(in, out, (float) rng.nextUniform(-max, max));
    }

    /** @param turns in [−1, 1] */
    static void apply(FloatImage in, FloatImage out, float turns) {
        if (in.channels() != 3) {
            Tone.copy(in, out);
            return;
        }
        int size = in.size();
        float[] from = in.values();
        float[] to = out.resize(in.height(), in.width(), 3).values();
        for (int i = 0; i < size; i += 3) {
            float r = from[i];
            float g = from[i + 1];
            float b = from[i + 2];
            float value = Math.max(r, Math.max(g, b));
            float chroma = value - Math.min(r, Math.min(g, b));
            // In sixths of a turn, made positive: red 6, green 8, blue 10, and up to six to either side.
            float hue = 6 + 6 * turns;
            if (chroma > 0) {
                if (value == r) {
                    hue += (g - b) / chroma;
                } else if (value == g) {
                    hue += 2 + (b - r) / chroma;
                } else {
                    hue += 4 + (r - g) / chroma;
                }
            }
            to[i] = channel(5 + hue, value, chroma);
            to[i + 1] = channel(3 + hue, value, chroma);
            to[i + 2] = channel(1 + hue, value, chroma);
        }
    }

    private static float channel(float place, float value, float chroma) {
        float k = place - 6 * (int) (place / 6);
        return value - chroma * Math.clamp(Math.min(k, 4 - k), 0f, 1f);
    }
}
