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
    /** 1.5·2^23 and the bias of exponents: adding it rounds to an integer, whose power of two is left in the low bits. */
    static final float ROUND = 0x1.8p23f + 127;

    /** Bits before an exponent. */
    static final int EXPONENT = 23;

    /** Bits of {@link #LOWEST}. */
    static final int LOWEST_BITS = Float.floatToRawIntBits(LOWEST);

    // Minimax coefficients of (2^f − 1) / f for |f| up to 1/2, with a relative error of 2^−16.
    static final float B0 = 0.69313686f;
    static final float B1 = 0.24023252f;
    static final float B2 = 0.05583729f;
    static final float B3 = 0.00961811f;

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

    /** e^x − 1 to the precision of BF16 and a little more, in half as many multiplications: e^x = 2^n·2^f with n + f = x / ln 2. */
    static float expm1ToBf16(float x) {
        float t = (x < LOWEST ? LOWEST : x) * LOG2_E;
        float shifted = t + ROUND;
        float f = t - (shifted - ROUND);
        float p = Math.fma(Math.fma(Math.fma(B3, f, B2), f, B1), f, B0);
        float power = power(shifted);
        return Math.fma(power, f * p, power - 1);
    }

    /** 2^n from n + {@link #ROUND}. */
    private static float power(float shifted) {
        return Float.intBitsToFloat(Float.floatToRawIntBits(shifted) << EXPONENT);
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
        float power = power(shifted);
        return Math.fma(power, m, power - subtrahend);
    }
}
