package tenon.engine;

import java.nio.charset.StandardCharsets;

/**
 * An addressable sequence of random numbers: draw {@code index} of (seed, stream, step) is always the same number, on every device.
 * The object holds one cached block and is confined to a thread; the sequence itself has no state.
 */
public final class Rng {
    private final long seed;
    private final int stream;
    private final int step;
    private final int[] block = new int[4];
    private long cached = -1;
    private long position;

    public Rng(long seed, int stream, int step) {
        this.seed = seed;
        this.stream = stream;
        this.step = step;
    }

    /** A stream number for a purpose, from its name (FNV-1a), e.g. {@code stream("shuffle")}. */
    public static int stream(String name) {
        int hash = 0x811C9DC5;
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xFF)) * 0x01000193;
        }
        return hash;
    }

    public long seed() {
        return seed;
    }

    public int stream() {
        return stream;
    }

    public int step() {
        return step;
    }

    /** 32 uniform random bits. */
    public int bits(long index) {
        long number = index >>> 2;
        if (number != cached) {
            Philox.block(seed, (int) number, (int) (number >>> 32), step, stream, block);
            cached = number;
        }
        return block[(int) (index & 3)];
    }

    /** Uniform in [0, 1). */
    public float uniform(long index) {
        return Philox.toUnitFloat(bits(index));
    }

    /** Standard normal by Box–Muller from draws 2·index and 2·index + 1; the same bits on every processor. */
    public double gaussian(long index) {
        double u = ((bits(2 * index) & 0xFFFFFFFFL) + 1) * 0x1.0p-32;
        double v = (bits(2 * index + 1) & 0xFFFFFFFFL) * 0x1.0p-32;
        return Math.sqrt(-2 * StrictMath.log(u)) * StrictMath.cos(2 * Math.PI * v);
    }

    /** Moves the running position: the next draw is number {@code index}. */
    public void position(long index) {
        position = index;
    }

    /** Next uniform of the running position, in [0, 1). */
    public float nextUniform() {
        return uniform(position++);
    }

    /** Next uniform in [low, high). */
    public double nextUniform(double low, double high) {
        return low + (high - low) * nextUniform();
    }

    /** Next integer in [0, bound): 32 random bits scaled by multiplication (bias below bound / 2^32). */
    public int nextInt(int bound) {
        if (bound <= 0) {
            throw new IllegalArgumentException("nextInt: bound must be at least 1: bound=" + bound);
        }
        return (int) (((bits(position++) & 0xFFFFFFFFL) * bound) >>> 32);
    }

    /** Fisher–Yates shuffle in place with the running position. */
    public void shuffle(int[] values) {
        for (int i = values.length - 1; i > 0; i--) {
            int j = nextInt(i + 1);
            int swap = values[i];
            values[i] = values[j];
            values[j] = swap;
        }
    }
}
