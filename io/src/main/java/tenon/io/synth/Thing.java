package tenon.io.synth;

import tenon.engine.Rng;

/** A textured shape at its place in a picture. */
final class Thing {
    private static final float PERIODS = 1.9f;

    private final Outline outline;
    private final Texture texture;
    private final Color first;
    private final Color second;
    private final NoiseTile fractal;
    private final float centreX;
    private final float centreY;
    private final float scale;
    private final float stretch;
    private final float cos;
    private final float sin;
    private final float periods;
    private final float phase;
    private final float lightU;
    private final float lightV;
    private final float noiseX;
    private final float noiseY;

    /**
     * Chooses everything that a class leaves open.
     *
     * @param scale pixels from the centre to the farthest point
     */
    Thing(Look look, Rng rng, NoiseTile fractal, float centreX, float centreY, float scale) {
        outline = look.outline();
        texture = look.texture();
        this.fractal = fractal;
        this.centreX = centreX;
        this.centreY = centreY;
        this.scale = scale;
        float hue = look.hue() + between(rng, -0.03f, 0.03f);
        float value = between(rng, 0.55f, 0.95f);
        first = Color.hsv(hue, between(rng, 0.55f, 0.95f), value);
        second = Color.hsv(
                hue + between(rng, 0.25f, 0.4f),
                between(rng, 0.1f, 0.5f),
                value > 0.75f ? between(rng, 0.1f, 0.4f) : between(rng, 0.8f, 1f));
        float turn = rng.nextUniform();
        cos = SineTable.cos(turn);
        sin = SineTable.sin(turn);
        stretch = between(rng, 0.8f, 1.25f);
        periods = PERIODS * between(rng, 0.8f, 1.25f);
        phase = rng.nextUniform();
        float light = rng.nextUniform();
        float strength = between(rng, 0.1f, 0.45f);
        lightU = strength * SineTable.cos(light);
        lightV = strength * SineTable.sin(light);
        noiseX = rng.nextInt(NoiseTile.SIZE);
        noiseY = rng.nextInt(NoiseTile.SIZE);
    }

    static float between(Rng rng, float low, float high) {
        return low + (high - low) * rng.nextUniform();
    }

    /** Draws what lies in row y over {@code row} (R, G, B per pixel); {@code grain} gets how rough the thing is there. */
    void draw(int y, float[] row, float[] grain) {
        float reach = 1.15f * scale * Math.max(stretch, 1 / stretch);
        float dy = y + 0.5f - centreY;
        if (Math.abs(dy) > reach) {
            return;
        }
        int from = Math.max(0, (int) (centreX - reach));
        int to = Math.min(grain.length, (int) (centreX + reach) + 1);
        for (int x = from; x < to; x++) {
            float dx = x + 0.5f - centreX;
            float u = (cos * dx + sin * dy) / (scale * stretch);
            float v = (cos * dy - sin * dx) * stretch / scale;
            float r = (float) Math.sqrt(u * u + v * v);
            float outside = r > 1.15f ? r : outline.outside(u, v, r);
            float cover = 0.5f - outside * scale / 1.5f;
            if (cover <= 0) {
                continue;
            }
            cover = Math.min(cover, 1);
            float share = texture.at(u * periods + phase, v * periods + phase, r * periods + phase, fractal);
            float rough = fractal.at(x + noiseX, y + noiseY);
            float shade = 1 + lightU * u + lightV * v + 0.08f * rough;
            row[3 * x] += cover * (shade * (first.red() + share * (second.red() - first.red())) - row[3 * x]);
            row[3 * x + 1] +=
                    cover * (shade * (first.green() + share * (second.green() - first.green())) - row[3 * x + 1]);
            row[3 * x + 2] +=
                    cover * (shade * (first.blue() + share * (second.blue() - first.blue())) - row[3 * x + 2]);
            grain[x] += cover * (0.8f + 0.4f * rough - grain[x]);
        }
    }
}
