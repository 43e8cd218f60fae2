package tenon.engine.backend.reference;

import tenon.engine.Tensor;
import tenon.engine.backend.NormalizationKernels;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;

/** Batch normalization channel by channel; the variance is computed in two passes. The workspace holds 1 where the fused ReLU let a value through. */
final class ReferenceNormalization implements NormalizationKernels {
    @Override
    public void trainForward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor output,
            Tensor batchMean,
            Tensor batchVariance,
            Tensor workspace) {
        Elements x = Elements.of(input);
        Elements y = Elements.of(output);
        Elements passed = workspace == null ? null : Elements.of(workspace);
        int channels = input.shape().dim(-1);
        long count = input.shape().outerCount();
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
            Elements.of(batchMean).set(c, mean);
            Elements.of(batchVariance).set(c, variance);
            double scale = at(gamma, c, 1) / Math.sqrt(variance + spec.epsilon());
            for (long i = 0; i < count; i++) {
                double value = (x.get(i * channels + c) - mean) * scale + at(beta, c, 0);
                y.set(i * channels + c, activate(spec, value));
                if (passed != null) {
                    passed.set(i * channels + c, value > 0 ? 1 : 0);
                }
            }
        }
    }

    @Override
    public void backward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor batchMean,
            Tensor batchVariance,
            Tensor workspace,
            Tensor gradOutput,
            Tensor gradInput,
            Tensor gradGamma,
            Tensor gradBeta) {
        Elements x = Elements.of(input);
        int channels = input.shape().dim(-1);
        long count = input.shape().outerCount();
        for (int c = 0; c < channels; c++) {
            double mean = at(batchMean, c, 0);
            double inverse = 1 / Math.sqrt(at(batchVariance, c, 0) + spec.epsilon());
            double sum = 0;
            double sumNormalized = 0;
            for (long i = c; i < count * channels; i += channels) {
                double g = gradient(workspace, gradOutput, i);
                sum += g;
                sumNormalized += g * (x.get(i) - mean) * inverse;
            }
            put(gradGamma, c, sumNormalized);
            put(gradBeta, c, sum);
            for (long i = c; gradInput != null && i < count * channels; i += channels) {
                double normalized = (x.get(i) - mean) * inverse;
                double centred = gradient(workspace, gradOutput, i) - (sum + normalized * sumNormalized) / count;
                put(gradInput, i, at(gamma, c, 1) * inverse * centred);
            }
        }
    }

    @Override
    public void inferForward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            Tensor output) {
        Elements x = Elements.of(input);
        Elements y = Elements.of(output);
        int channels = input.shape().dim(-1);
        for (long i = 0; i < input.elementCount(); i++) {
            int c = (int) (i % channels);
            double scale = at(gamma, c, 1) / Math.sqrt(at(runningVariance, c, 0) + spec.epsilon());
            y.set(i, activate(spec, (x.get(i) - at(runningMean, c, 0)) * scale + at(beta, c, 0)));
        }
    }

    @Override
    public void inferBackward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor runningMean,
            Tensor runningVariance,
            Tensor output,
            Tensor gradOutput,
            Tensor gradInput,
            Tensor gradGamma,
            Tensor gradBeta) {
        Elements x = Elements.of(input);
        int channels = input.shape().dim(-1);
        for (int c = 0; c < channels; c++) {
            double inverse = 1 / Math.sqrt(at(runningVariance, c, 0) + spec.epsilon());
            double sum = 0;
            double sumNormalized = 0;
            for (long i = c; i < input.elementCount(); i += channels) {
                double g = gradient(output, gradOutput, i);
                sum += g;
                sumNormalized += g * (x.get(i) - at(runningMean, c, 0)) * inverse;
                put(gradInput, i, at(gamma, c, 1) * inverse * g);
            }
            put(gradGamma, c, sumNormalized);
            put(gradBeta, c, sum);
        }
    }

    @Override
    public void movingAverage(Tensor running, Tensor batch, double momentum, double factor) {
        Elements average = Elements.of(running);
        Elements value = Elements.of(batch);
        for (long i = 0; i < running.elementCount(); i++) {
            average.set(i, (1 - momentum) * average.get(i) + momentum * factor * value.get(i));
        }
    }

    private static double activate(BatchNormSpec spec, double value) {
        return spec.activation().kind() == Activation.Kind.RELU ? Math.max(value, 0) : value;
    }

    /** The output's gradient at {@code i} before the ReLU; {@code mask} is positive where a value passed, or null without activation. */
    private static double gradient(Tensor mask, Tensor gradOutput, long i) {
        return mask == null || at(mask, i, 0) > 0 ? at(gradOutput, i, 0) : 0;
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
