package tenon.engine;

/**
 * Philox4x32-10, a counter-based generator: each block of four 32-bit words is a pure function of key and counter, so a draw can be repeated
 * or computed anywhere without state (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 4).
 *
 * <p>Tenon uses the 64-bit seed as key, and as counter (index / 4 low, index / 4 high, step, stream).
 */
public final class Philox {
    private static final int M0 = 0xD2511F53;
    private static final int M1 = 0xCD9E8D57;
    private static final int W0 = 0x9E3779B9;
    private static final int W1 = 0xBB67AE85;

    private Philox() {}

    /** Computes the block of counter (c0, c1, c2, c3) under the seed into {@code out[0..3]}. */
    public static void block(long seed, int c0, int c1, int c2, int c3, int[] out) {
        int k0 = (int) seed;
        int k1 = (int) (seed >>> 32);
        for (int round = 0; round < 10; round++) {
            long p0 = (M0 & 0xFFFFFFFFL) * (c0 & 0xFFFFFFFFL);
            long p1 = (M1 & 0xFFFFFFFFL) * (c2 & 0xFFFFFFFFL);
            int n0 = (int) (p1 >>> 32) ^ c1 ^ k0;
            int n2 = (int) (p0 >>> 32) ^ c3 ^ k1;
            c1 = (int) p1;
            c3 = (int) p0;
            c0 = n0;
            c2 = n2;
            k0 += W0;
            k1 += W1;
        }
        out[0] = c0;
        out[1] = c1;
        out[2] = c2;
        out[3] = c3;
    }

    /** Maps 32 random bits to [0, 1) with 24 bits of resolution: exactly representable, never 1. */
    public static float toUnitFloat(int bits) {
        return (bits >>> 8) * 0x1.0p-24f;
    }
}
