package tenon.io.synth;

import tenon.engine.Rng;

/** A square of random values that repeats in both directions, read at any place. */
final class NoiseTile {
    private static final int LOG_SIZE = 9;
    static final int SIZE = 1 << LOG_SIZE;
    private static final int MASK = SIZE - 1;

    private final float[] values;

    private NoiseTile(float[] values) {
        this.values = values;
    }

    /** The value at the pixel that holds (x, y). */
    float at(float x, float y) {
        return values[(((int) y & MASK) << LOG_SIZE) + ((int) x & MASK)];
    }

    float at(int x, int y) {
        return values[((y & MASK) << LOG_SIZE) + (x & MASK)];
    }

    /** Independent standard normal values. */
    static NoiseTile white(long seed) {
        Rng rng = new Rng(seed, Rng.stream("synth.white"), 0);
        float[] values = new float[SIZE * SIZE];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) rng.gaussian(i);
        }
        return new NoiseTile(values);
    }

    /**
     * Octaves of smoothly interpolated lattice noise, each at double the frequency and half the amplitude of the one before, so that power falls with
     * the square of the frequency, as it does in photographs (Field 1987). Mean 0, standard deviation 1.
     */
    static NoiseTile fractal(long seed) {
        float[] values = new float[SIZE * SIZE];
        float amplitude = 1;
        for (int cells = 4; cells <= SIZE / 2; cells *= 2) {
            addOctave(values, cells, amplitude, new Rng(seed, Rng.stream("synth.fractal"), cells));
            amplitude /= 2;
        }
        double sum = 0;
        double squares = 0;
        for (float value : values) {
            sum += value;
            squares += (double) value * value;
        }
        double mean = sum / values.length;
        double deviation = Math.sqrt(squares / values.length - mean * mean);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) ((values[i] - mean) / deviation);
        }
        return new NoiseTile(values);
    }

    private static void addOctave(float[] values, int cells, float amplitude, Rng rng) {
        float[] lattice = new float[cells * cells];
        for (int i = 0; i < lattice.length; i++) {
            lattice[i] = amplitude * (2 * rng.uniform(i) - 1);
        }
        int step = SIZE / cells;
        float[] ease = new float[step];
        for (int i = 0; i < step; i++) {
            float t = (float) i / step;
            ease[i] = t * t * (3 - 2 * t);
        }
        for (int y = 0; y < SIZE; y++) {
            int top = y / step * cells;
            int bottom = (y / step + 1) % cells * cells;
            float down = ease[y % step];
            for (int x = 0; x < SIZE; x++) {
                int left = x / step;
                int right = (left + 1) % cells;
                float across = ease[x % step];
                float upper = lattice[top + left] + across * (lattice[top + right] - lattice[top + left]);
                float lower = lattice[bottom + left] + across * (lattice[bottom + right] - lattice[bottom + left]);
                values[(y << LOG_SIZE) + x] += upper + down * (lower - upper);
            }
        }
    }
}
