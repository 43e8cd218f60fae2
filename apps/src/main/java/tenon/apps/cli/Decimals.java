package tenon.apps.cli;

import java.math.BigDecimal;
import java.math.MathContext;

/** Numbers as people write them: no exponent, no zeros at the end. */
public final class Decimals {
    private Decimals() {}

    /** The shortest that is read back as the same number, e.g. 0.0002. */
    public static String plain(double value) {
        return text(new BigDecimal(Double.toString(value)));
    }

    /** To so many digits that count, e.g. 0.002392 of 0.00239187. */
    public static String rounded(double value, int digits) {
        return text(new BigDecimal(value).round(new MathContext(digits)));
    }

    private static String text(BigDecimal value) {
        return value.stripTrailingZeros().toPlainString();
    }
}
