package tenon.engine.backend.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** {@link Exponential} on vectors, with the same bits. */
final class VectorExponential {
    private VectorExponential() {}

    static FloatVector exp(FloatVector x) {
        return expMinus(x, 0);
    }

    static FloatVector expm1(FloatVector x) {
        return expMinus(x, 1);
    }

    /** For negative {@code x}; anything for others. As integers, floats with a sign rise as their values fall. */
    static FloatVector expm1ToBf16(FloatVector x) {
        FloatVector clipped = x.reinterpretAsInts().min(Exponential.LOWEST_BITS).reinterpretAsFloats();
        FloatVector t = clipped.mul(Exponential.LOG2_E);
        FloatVector shifted = t.add(Exponential.ROUND);
        FloatVector f = t.sub(shifted.sub(Exponential.ROUND));
        FloatVector p = broadcast(Exponential.B3)
                .fma(f, broadcast(Exponential.B2))
                .fma(f, broadcast(Exponential.B1))
                .fma(f, broadcast(Exponential.B0));
        FloatVector power = power(shifted);
        return power.fma(f.mul(p), power.sub(1f));
    }

    private static FloatVector power(FloatVector shifted) {
        return shifted.reinterpretAsInts()
                .lanewise(VectorOperators.LSHL, Exponential.EXPONENT)
                .reinterpretAsFloats();
    }

    private static FloatVector expMinus(FloatVector x, float subtrahend) {
        FloatVector clipped = x.blend(Exponential.LOWEST, x.compare(VectorOperators.LT, Exponential.LOWEST));
        FloatVector shifted = clipped.fma(broadcast(Exponential.LOG2_E), broadcast(Exponential.ROUND));
        FloatVector n = shifted.sub(Exponential.ROUND);
        FloatVector r = n.fma(broadcast(-Exponential.LN2_LOW), n.fma(broadcast(-Exponential.LN2_HIGH), clipped));
        FloatVector p = broadcast(Exponential.C7)
                .fma(r, broadcast(Exponential.C6))
                .fma(r, broadcast(Exponential.C5))
                .fma(r, broadcast(Exponential.C4))
                .fma(r, broadcast(Exponential.C3))
                .fma(r, broadcast(Exponential.C2));
        FloatVector m = r.mul(r).fma(p, r);
        FloatVector power = power(shifted);
        return power.fma(m, power.sub(subtrahend));
    }

    private static FloatVector broadcast(float x) {
        return FloatVector.broadcast(Lanes.FLOATS, x);
    }
}
