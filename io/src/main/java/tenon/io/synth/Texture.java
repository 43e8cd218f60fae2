package tenon.io.synth;

import java.util.Locale;

/** Patterns of two colours. */
enum Texture {
    PLAIN,
    STRIPED,
    CHECKED,
    DOTTED,
    RINGED,
    ZIGZAG,
    MOTTLED,
    LATTICE;

    /**
     * The share of the second colour, 0 to 1, in a thing's own coordinates.
     *
     * @param u in periods of the pattern, likewise v
     * @param r distance from the thing's centre in periods
     */
    float at(float u, float v, float r, NoiseTile fractal) {
        return switch (this) {
            case PLAIN -> 0;
            case STRIPED -> edge(SineTable.sin(u));
            case CHECKED -> edge(2 * SineTable.sin(0.7f * u) * SineTable.sin(0.7f * v));
            case DOTTED -> edge(SineTable.sin(u) + SineTable.sin(v) - 0.7f);
            case RINGED -> edge(SineTable.cos(r));
            case ZIGZAG -> edge(SineTable.sin(u + Math.abs(v - Math.round(v))));
            case MOTTLED -> edge(2 * fractal.at(150 * u + 4096, 150 * v + 4096));
            case LATTICE -> edge(Math.max(SineTable.sin(u), SineTable.sin(v)) * 3 - 2.4f);
        };
    }

    private static float edge(float value) {
        return Math.clamp(0.5f + 5 * value, 0f, 1f);
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
