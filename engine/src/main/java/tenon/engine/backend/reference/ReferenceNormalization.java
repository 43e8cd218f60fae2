package tenon.engine.backend.reference;

import tenon.engine.Tensor;
import tenon.engine.backend.NormalizationKernels;
import tenon.engine.ops.BatchNormSpec;

/** Batch normalization channel by channel; the variance is computed in two passes. */
final class ReferenceNormalization implements NormalizationKernels {
    @Override
    public void trainForward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            Tensor shortcut,
            Tensor output,
            int offset,
            Tensor batchMean,
            Tensor batchVariance) {
        Elements x = Elements.of(input);
        int channels = input.shape().dim(-1);
        long count = input.shape().outerCount();
        double unbias = spec.unbiasedRunningVariance() ? count / (count - 1.0) : 1;
        for (int c = 0; c < channels; c++) {
            double mean = 0;
            for (long i = 0; i < count; i++) {
                mean += x.get(i * channels + c);
            }
            mean /= count;
            double variance = 0;
            for (long i = 0; i < count; i++) {
                double deviation = x.get(i * channels + c) - mean;
                variance += deviation * deviation;
            }
            variance /= count;
            put(batchMean, c, mean);
            put(batchVariance, c, variance);
            move(runningMean, c, spec.momentum(), mean);
            move(runningVariance, c, spec.momentum(), variance * unbias);
        }
        inferForward(spec, input, gamma, beta, batchMean, batchVariance, shortcut, output, offset);
    }

    private static void move(Tensor running, int c, double momentum, double value) {
        put(running, c, (1 - momentum) * at(running, c, 0) + momentum * value);
    }

    @Override
    public void inferForward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            Tensor shortcut,
            Tensor output,
            int offset) {
        Elements y = Elements.of(output);
        int channels = input.shape().dim(-1);
        int outputChannels = output.shape().dim(-1);
        for (long i = 0; i < input.elementCount(); i++) {
            int c = (int) (i % channels);
            double value = normalized(spec, input, gamma, beta, runningMean, runningVariance, i) + at(shortcut, i, 0);
            y.set(
                    i / channels * outputChannels + offset + c,
                    spec.ceiling() > 0 ? Math.clamp(value, 0, spec.ceiling()) : value);
        }
    }

    private static double normalized(
            BatchNormSpec spec, Tensor input, Tensor gamma, Tensor beta, Tensor mean, Tensor variance, long i) {
        int c = (int) (i % input.shape().dim(-1));
        double scale = at(gamma, c, 1) / Math.sqrt(at(variance, c, 0) + spec.epsilon());
        return (at(input, i, 0) - at(mean, c, 0)) * scale + at(beta, c, 0);
    }

    @Override
    public void backward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor mean,
            Tensor variance,
            boolean constantStatistics,
            Tensor output,
            Tensor gradOutput,
            int offset,
            Tensor gradInput,
            Tensor gradShortcut,
            Tensor gradGamma,
            Tensor gradBeta) {
        Elements x = Elements.of(input);
        int channels = input.shape().dim(-1);
        int outputChannels = gradOutput.shape().dim(-1);
        long count = input.shape().outerCount();
        double[] g = new double[Math.toIntExact(count)];
        for (int c = 0; c < channels; c++) {
            double inverse = 1 / Math.sqrt(at(variance, c, 0) + spec.epsilon());
            double sum = 0;
            double sumNormalized = 0;
            for (int row = 0; row < count; row++) {
                long i = (long) row * channels + c;
                double before =
                        output == null ? normalized(spec, input, gamma, beta, mean, variance, i) : at(output, i, 0);
                boolean passed = spec.ceiling() == 0 || (before > 0 && before < spec.ceiling());
                g[row] = passed ? at(gradOutput, (long) row * outputChannels + offset + c, 0) : 0;
                sum += g[row];
                sumNormalized += g[row] * (x.get(i) - at(mean, c, 0)) * inverse;
            }
            put(gradGamma, c, sumNormalized);
            put(gradBeta, c, sum);
            for (int row = 0; row < count; row++) {
                long i = (long) row * channels + c;
                double centred = g[row];
                if (!constantStatistics) {
                    centred -= (sum + (x.get(i) - at(mean, c, 0)) * inverse * sumNormalized) / count;
                }
                put(gradShortcut, i, g[row]);
                put(gradInput, i, at(gamma, c, 1) * inverse * centred);
            }
        }
    }

    private static double at(Tensor tensor, long i, double absent) {
        return tensor == null ? absent : Elements.of(tensor).get(i);
    }

    private static void put(Tensor tensor, long i, double value) {
        if (tensor != null) {
            Elements.of(tensor).set(i, value);
        }
    }
}
