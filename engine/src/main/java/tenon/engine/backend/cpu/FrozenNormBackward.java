package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import tenon.engine.Tensor;
import tenon.engine.ops.BatchNormSpec;

/**
 * Gradients of batch normalization with constant statistics: gradInput = g·gamma / sqrt(variance + epsilon), gradGamma = Σ g·x̂, gradBeta = Σ g, where g
 * is the output gradient, masked where a fused ReLU gave 0. oneDNN has it only together with the batch's own statistics in NHWC.
 */
final class FrozenNormBackward {
    private FrozenNormBackward() {}

    /** @param output of the forward pass if a ReLU is fused, else null */
    static void run(
            CpuBackend backend,
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor mean,
            Tensor variance,
            Tensor output,
            Tensor gradOutput,
            Tensor gradInput,
            Tensor gradGamma,
            Tensor gradBeta) {
        int c = input.shape().dim(-1);
        long rows = input.shape().outerCount();
        MemorySegment x = input.segment();
        MemorySegment g = gradOutput.segment();
        MemorySegment y = output == null ? null : output.segment();
        MemorySegment gx = gradInput == null ? null : gradInput.segment();
        boolean parameters = gradGamma != null || gradBeta != null;
        float[] center = new float[c];
        float[] inverse = new float[c];
        float[] factor = new float[c];
        for (int i = 0; i < c; i++) {
            center[i] = Floats.get(mean.segment(), i);
            inverse[i] = (float) (1 / Math.sqrt(Floats.get(variance.segment(), i) + spec.epsilon()));
            factor[i] = inverse[i] * (gamma == null ? 1 : Floats.get(gamma.segment(), i));
        }
        int stripes = Partials.stripes(rows);
        synchronized (backend.partials) {
            double[] sums = backend.partials.get(2 * c * stripes);
            backend.parallel.parts(stripes, stripe -> {
                int start = 2 * c * stripe;
                Arrays.fill(sums, start, start + 2 * c, 0);
                for (long r = rows * stripe / stripes; r < rows * (stripe + 1) / stripes; r++) {
                    for (int i = 0; i < c; i++) {
                        long at = r * c + i;
                        float grad = y == null || Floats.get(y, at) > 0 ? Floats.get(g, at) : 0;
                        if (gx != null) {
                            Floats.set(gx, at, grad * factor[i]);
                        }
                        if (parameters) {
                            sums[start + i] += grad * (Floats.get(x, at) - center[i]) * inverse[i];
                            sums[start + c + i] += grad;
                        }
                    }
                }
            });
            for (int i = 0; i < c && parameters; i++) {
                double gammaSum = 0;
                double betaSum = 0;
                for (int stripe = 0; stripe < stripes; stripe++) {
                    gammaSum += sums[2 * c * stripe + i];
                    betaSum += sums[2 * c * stripe + c + i];
                }
                if (gradGamma != null) {
                    Floats.set(gradGamma.segment(), i, (float) gammaSum);
                }
                if (gradBeta != null) {
                    Floats.set(gradBeta.segment(), i, (float) betaSum);
                }
            }
        }
    }
}
