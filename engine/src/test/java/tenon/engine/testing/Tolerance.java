package tenon.engine.testing;

import tenon.engine.DType;

/** Accepts |actual − expected| ≤ absolute + relative·|expected|. */
public record Tolerance(double absolute, double relative) {
    public static final Tolerance EXACT = new Tolerance(0, 0);

    /**
     * For results of {@code reductionLength} added products of numbers around 1, by the classical bound of length·epsilon on a sum's error; 1 for
     * elementwise ops. BF16 results are rounded once from an F32 sum of BF16 inputs.
     */
    public static Tolerance of(DType dtype, long reductionLength) {
        double tolerance = switch (dtype) {
            case F64 -> (8 + reductionLength) * Math.ulp(1.0);
            case F32 -> (8 + reductionLength) * Math.ulp(1.0f);
            case BF16 -> 0x1.0p-7 + (8 + reductionLength) * Math.ulp(1.0f);
            case U8, I32 -> 0;
        };
        return new Tolerance(tolerance, tolerance);
    }

    /** NaN is never accepted; equal infinities are. */
    public boolean accepts(double actual, double expected) {
        return actual == expected
                || Double.isFinite(expected) && Math.abs(actual - expected) <= absolute + relative * Math.abs(expected);
    }
}
