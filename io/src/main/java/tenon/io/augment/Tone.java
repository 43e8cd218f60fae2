package tenon.io.augment;

import tenon.engine.Rng;
import tenon.engine.ShapeException;

/** What the random changes of brightness and colour share. */
final class Tone {
    private Tone() {}

    static void check(String where, double max, double limit) {
        if (!(max >= 0 && max <= limit)) {
            throw new ShapeException(where + ": max must lie in [0, " + limit + "]: max=" + max);
        }
    }

    /** Uniform in [1 − max, 1 + max), at least 0. */
    static float factor(double max, Rng rng) {
        return (float) rng.nextUniform(Math.max(0, 1 - max), 1 + max);
    }

    /** ITU-R BT.601. */
    static float luma(float red, float green, float blue) {
        return 0.299f * red + 0.587f * green + 0.114f * blue;
    }

    static float clamp(float value) {
        return Math.clamp(value, 0f, 255f);
    }

    static void copy(FloatImage in, FloatImage out) {
        out.resize(in.height(), in.width(), in.channels());
        System.arraycopy(in.values(), 0, out.values(), 0, in.size());
    }
}
