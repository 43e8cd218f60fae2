package tenon.io.synth;

import static tenon.io.synth.Thing.between;

import tenon.engine.Rng;

/** What lies behind the things: two regions divided by a slanting line, each a rough mixture of two dull colours. */
final class Backdrop {
    private final NoiseTile fractal;
    private final float border;
    private final float slope;
    private final Region above;
    private final Region below;

    private record Region(Color from, Color to, float scale, float roughness, int noiseX, int noiseY) {
        static Region of(Rng rng, float scale) {
            float hue = rng.nextUniform();
            return new Region(
                    Color.hsv(hue, between(rng, 0.05f, 0.6f), between(rng, 0.2f, 0.95f)),
                    Color.hsv(hue + between(rng, -0.2f, 0.2f), between(rng, 0.05f, 0.6f), between(rng, 0.2f, 0.95f)),
                    scale * between(rng, 0.4f, 1.3f),
                    between(rng, 0.1f, 1.5f),
                    rng.nextInt(NoiseTile.SIZE),
                    rng.nextInt(NoiseTile.SIZE));
        }
    }

    Backdrop(Rng rng, NoiseTile fractal, int width, int height) {
        this.fractal = fractal;
        border = height * between(rng, -0.3f, 1.3f);
        slope = between(rng, -0.3f, 0.3f);
        float scale = (float) NoiseTile.SIZE / Math.max(width, height);
        above = Region.of(rng, scale);
        below = Region.of(rng, scale);
    }

    /** Fills row y (R, G, B per pixel), and {@code grain} with how rough it is. */
    void draw(int y, float[] row, float[] grain) {
        for (int x = 0; x < grain.length; x++) {
            Region region = y + slope * x < border ? above : below;
            float coarse = fractal.at(x * region.scale + region.noiseX, y * region.scale + region.noiseY);
            float fine = fractal.at(x + region.noiseY, 3 * y + region.noiseX);
            float share = Math.clamp(0.5f + 0.35f * coarse, 0f, 1f);
            float shade = 1 + 0.1f * region.roughness * fine;
            Color from = region.from;
            Color to = region.to;
            row[3 * x] = shade * (from.red() + share * (to.red() - from.red()));
            row[3 * x + 1] = shade * (from.green() + share * (to.green() - from.green()));
            row[3 * x + 2] = shade * (from.blue() + share * (to.blue() - from.blue()));
            grain[x] = region.roughness * (1 + 0.5f * coarse);
        }
    }
}
