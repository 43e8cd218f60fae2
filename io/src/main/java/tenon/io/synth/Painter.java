package tenon.io.synth;

import static tenon.io.synth.Thing.between;

import tenon.engine.Rng;
import tenon.io.image.Image;

/**
 * Draws pictures of classes that a network can learn to tell apart: each shows a thing whose outline, texture and hue are its class's
 * ({@link Look}), at a random place, size and angle, before a random backdrop with smaller things of random looks, in random light, with grain.
 *
 * <p>A picture is a function of (seed, class, number, size) alone. Its spectrum and the size of its JPEG are like a photograph's. May be used by
 * several threads.
 */
public final class Painter {
    /** Smaller pictures are drawn larger and averaged down, so that outlines stay smooth. */
    private static final int SMALLEST_CANVAS = 96;

    private static final float GRAIN = 0.042f;

    private final long seed;
    private final NoiseTile fractal;
    private final NoiseTile white;

    public Painter(long seed) {
        this.seed = seed;
        fractal = NoiseTile.fractal(seed);
        white = NoiseTile.white(seed);
    }

    long seed() {
        return seed;
    }

    /** Classes 0 to this − 1 look different. */
    public static int classCount() {
        return Look.COUNT;
    }

    /** What the class looks like, as an identifier, e.g. {@code red_plain_disc}. */
    public static String className(int classIndex) {
        return Look.of(classIndex).name();
    }

    /** Picture {@code number} of a class: R, G, B. */
    public Image draw(int classIndex, int number, int width, int height) {
        int factor = Math.ceilDiv(SMALLEST_CANVAS, Math.min(Math.min(width, height), SMALLEST_CANVAS));
        return factor == 1
                ? paint(classIndex, number, width, height)
                : averaged(paint(classIndex, number, width * factor, height * factor), factor);
    }

    private Image paint(int classIndex, int number, int width, int height) {
        Rng rng = new Rng(seed, Rng.stream("synth.picture") + classIndex, number);
        Backdrop backdrop = new Backdrop(rng, fractal, width, height);
        Thing[] things = things(classIndex, rng, width, height);
        float exposure = between(rng, 0.65f, 1.2f);
        float[] gain = {
            exposure * between(rng, 0.9f, 1.1f),
            exposure * between(rng, 0.9f, 1.1f),
            exposure * between(rng, 0.9f, 1.1f)
        };
        float haze = between(rng, 0, 0.12f);
        float slopeX = between(rng, -0.4f, 0.4f) / width;
        float slopeY = between(rng, -0.4f, 0.4f) / height;
        float grainLevel = GRAIN * between(rng, 0.6f, 1.4f);
        int grainX = rng.nextInt(NoiseTile.SIZE);
        int grainY = rng.nextInt(NoiseTile.SIZE);

        byte[] pixels = new byte[Math.multiplyExact(3, Math.multiplyExact(width, height))];
        float[] row = new float[3 * width];
        float[] rough = new float[width];
        int o = 0;
        for (int y = 0; y < height; y++) {
            backdrop.draw(y, row, rough);
            for (Thing thing : things) {
                thing.draw(y, row, rough);
            }
            float light = 1 + slopeY * (y - height / 2f) - slopeX * width / 2;
            for (int x = 0; x < width; x++) {
                float lit = light + slopeX * x;
                // Grain of neighbouring pixels is related, as a camera's is after demosaicing.
                float fine = white.at(x + grainX, y + grainY) + 0.5f * white.at(x + 1 + grainX, y + grainY);
                float grain = haze + grainLevel * Math.max(rough[x], 0.15f) * fine;
                for (int c = 0; c < 3; c++) {
                    float value = lit * gain[c] * row[3 * x + c] + grain;
                    pixels[o++] = (byte) (255 * Math.clamp(value, 0f, 1f) + 0.5f);
                }
            }
        }
        return new Image(width, height, 3, pixels);
    }

    private Thing[] things(int classIndex, Rng rng, int width, int height) {
        int side = Math.min(width, height);
        int others = 1 + rng.nextInt(4);
        Thing[] things = new Thing[others + 1];
        for (int i = 0; i < others; i++) {
            things[i] = new Thing(
                    Look.of(rng.nextInt(Look.COUNT)),
                    rng,
                    fractal,
                    width * rng.nextUniform(),
                    height * rng.nextUniform(),
                    side * between(rng, 0.07f, 0.17f));
        }
        float scale = side * between(rng, 0.26f, 0.48f);
        things[others] = new Thing(
                Look.of(classIndex), rng, fractal, place(rng, width, scale), place(rng, height, scale), scale);
        return things;
    }

    /** A centre from which at most a third of the thing is cut off. */
    private static float place(Rng rng, int size, float scale) {
        float margin = Math.min(size / 2f, scale / 3);
        return between(rng, margin, size - margin);
    }

    private static Image averaged(Image large, int factor) {
        int width = large.width() / factor;
        int height = large.height() / factor;
        byte[] pixels = new byte[3 * width * height];
        int count = factor * factor;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                for (int c = 0; c < 3; c++) {
                    int sum = 0;
                    for (int i = 0; i < count; i++) {
                        sum += large.value(x * factor + i % factor, y * factor + i / factor, c);
                    }
                    pixels[3 * (y * width + x) + c] = (byte) ((sum + count / 2) / count);
                }
            }
        }
        return new Image(width, height, 3, pixels);
    }
}
