package tenon.engine.backend.cpu;

/**
 * e^x and e^x − 1 in F32 for x up to 0, which is all that the activations need: x = n·ln 2 + r with |r| at most (ln 2)/2 gives 2^n·(e^r − 1) + 2^n, and e^r − 1
 * comes from its Taylor polynomial of degree 7. At most 2 units in the last place from the exact value down to −87, constant below; NaN for NaN.
 */
final class Exponential {
    /** Here 2^n is still a normal number. */
    static final float LOWEST = -87;

    static final float LOG2_E = (float) (1 / Math.log(2));
    /** ln 2 in two parts, the first with trailing zeros so that n times it is exact. */
    static final float LN2_HIGH = 0x1.62ep-1f;

    static final float LN2_LOW = (float) (Math.log(2) - LN2_HIGH);
    /** 1.5·2^23: adding it rounds to an integer, left in the low bits. */
    static final float ROUND = 0x1.8p23f;
    /** Bits of 1. */
    static final int ONE_BITS = 0x3F80_0000;

    // Taylor coefficients 1 / k!
    static final float C2 = 1 / 2f;
    static final float C3 = 1 / 6f;
    static final float C4 = 1 / 24f;
    static final float C5 = 1 / 120f;
    static final float C6 = 1 / 720f;
    static final float C7 = 1 / 5040f;

    private Exponential() {}

    static float exp(float x) {
        return expMinus(x, 0);
    }

    static float expm1(float x) {
        return expMinus(x, 1);
    }

    private static float expMinus(float x, float subtrahend) {
        float clipped = x < LOWEST ? LOWEST : x;
        float shifted = Math.fma(clipped, LOG2_E, ROUND);
        float n = shifted - ROUND;
        float r = Math.fma(n, -LN2_LOW, Math.fma(n, -LN2_HIGH, clipped));
        float p = Math.fma(C7, r, C6);
        p = Math.fma(p, r, C5);
        p = Math.fma(p, r, C4);
        p = Math.fma(p, r, C3);
        p = Math.fma(p, r, C2);
        float m = Math.fma(r * r, p, r);
        float power = Float.intBitsToFloat((Float.floatToRawIntBits(shifted) << 23) + ONE_BITS);
        return Math.fma(power, m, power - subtrahend);
    }
}
