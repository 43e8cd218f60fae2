package tenon.layers;

import tenon.engine.Rng;
import tenon.engine.Tensor;

/** Normal with mean 0 by rejection: element i of n takes the first of the draws i, i + n, i + 2n, … within two standard deviations. F32 weights. */
record TruncatedNormal(double standardDeviation) implements Initializer {
    private static final double LIMIT = 2;

    @Override
    public void fill(Tensor weight, Rng rng) {
        float[] values = new float[Math.toIntExact(weight.elementCount())];
        for (int i = 0; i < values.length; i++) {
            long draw = i;
            double value = rng.gaussian(draw);
            while (!(Math.abs(value) <= LIMIT)) {
                draw += values.length;
                value = rng.gaussian(draw);
            }
            values[i] = (float) (standardDeviation * value);
        }
        weight.upload(values);
    }
}
