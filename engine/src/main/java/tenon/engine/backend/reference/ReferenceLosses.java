package tenon.engine.backend.reference;

import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.LossKernels;

/** Softmax and losses row by row. A target probability of 0 contributes 0 even where the log-probability is −∞. */
final class ReferenceLosses implements LossKernels {
    @Override
    public void softmaxForward(Tensor input, Tensor output) {
        Elements x = Elements.of(input);
        Elements y = Elements.of(output);
        int classes = input.shape().dim(-1);
        for (long row = 0; row < input.shape().outerCount(); row++) {
            double logSum = logSumExp(x, row * classes, classes);
            for (int c = 0; c < classes; c++) {
                y.set(row * classes + c, Math.exp(x.get(row * classes + c) - logSum));
            }
        }
    }

    @Override
    public void softmaxBackward(Tensor output, Tensor gradOutput, Tensor gradInput) {
        Elements y = Elements.of(output);
        Elements gy = Elements.of(gradOutput);
        Elements gx = Elements.of(gradInput);
        int classes = output.shape().dim(-1);
        for (long row = 0; row < output.shape().outerCount(); row++) {
            double dot = 0;
            for (long i = row * classes; i < (row + 1) * classes; i++) {
                dot += gy.get(i) * y.get(i);
            }
            for (long i = row * classes; i < (row + 1) * classes; i++) {
                gx.set(i, y.get(i) * (gy.get(i) - dot));
            }
        }
    }

    @Override
    public void softmaxCrossEntropyForward(
            Tensor logits, Tensor target, double smoothing, Tensor loss, Tensor probabilities) {
        Elements x = Elements.of(logits);
        Elements t = Elements.of(target);
        int rows = logits.shape().dim(0);
        int classes = logits.shape().dim(1);
        double total = 0;
        for (int n = 0; n < rows; n++) {
            double logSum = logSumExp(x, (long) n * classes, classes);
            for (int c = 0; c < classes; c++) {
                double logProbability = x.get((long) n * classes + c) - logSum;
                double q = smoothed(t, n, c, classes, smoothing);
                total -= q == 0 ? 0 : q * logProbability;
                if (probabilities != null) {
                    Elements.of(probabilities).set((long) n * classes + c, Math.exp(logProbability));
                }
            }
        }
        Elements.of(loss).set(0, total / rows);
    }

    @Override
    public void softmaxCrossEntropyBackward(
            Tensor probabilities, Tensor target, double smoothing, Tensor gradLoss, Tensor gradLogits) {
        Elements p = Elements.of(probabilities);
        Elements t = Elements.of(target);
        Elements gx = Elements.of(gradLogits);
        int rows = probabilities.shape().dim(0);
        int classes = probabilities.shape().dim(1);
        double scale = Elements.of(gradLoss).get(0) / rows;
        for (int n = 0; n < rows; n++) {
            double mass = 0;
            for (int c = 0; c < classes; c++) {
                mass += smoothed(t, n, c, classes, smoothing);
            }
            for (int c = 0; c < classes; c++) {
                long i = (long) n * classes + c;
                gx.set(i, scale * (p.get(i) * mass - smoothed(t, n, c, classes, smoothing)));
            }
        }
    }

    /** q(n, c) = (1 − smoothing)·target + smoothing / C. */
    private static double smoothed(Elements target, int n, int c, int classes, double smoothing) {
        double t = target.dtype() == DType.I32 ? target.getInt(n) == c ? 1 : 0 : target.get((long) n * classes + c);
        return (1 - smoothing) * t + smoothing / classes;
    }

    private static double logSumExp(Elements x, long start, int count) {
        double max = Double.NEGATIVE_INFINITY;
        for (int c = 0; c < count; c++) {
            max = Math.max(max, x.get(start + c));
        }
        double sum = 0;
        for (int c = 0; c < count; c++) {
            sum += Math.exp(x.get(start + c) - max);
        }
        return max + Math.log(sum);
    }

    @Override
    public void sigmoidCrossEntropyForward(Tensor logits, Tensor target, Tensor loss) {
        Elements x = Elements.of(logits);
        Elements t = Elements.of(target);
        double total = 0;
        for (long i = 0; i < logits.elementCount(); i++) {
            double value = x.get(i);
            total += Math.max(value, 0) - value * t.get(i) + Math.log1p(Math.exp(-Math.abs(value)));
        }
        Elements.of(loss).set(0, total / logits.elementCount());
    }

    @Override
    public void sigmoidCrossEntropyBackward(Tensor logits, Tensor target, Tensor gradLoss, Tensor gradLogits) {
        Elements x = Elements.of(logits);
        Elements t = Elements.of(target);
        Elements gx = Elements.of(gradLogits);
        double scale = Elements.of(gradLoss).get(0) / logits.elementCount();
        for (long i = 0; i < logits.elementCount(); i++) {
            gx.set(i, scale * (1 / (1 + Math.exp(-x.get(i))) - t.get(i)));
        }
    }

    @Override
    public void meanSquaredErrorForward(Tensor input, Tensor target, Tensor loss) {
        Elements x = Elements.of(input);
        Elements t = Elements.of(target);
        double total = 0;
        for (long i = 0; i < input.elementCount(); i++) {
            double difference = x.get(i) - t.get(i);
            total += difference * difference;
        }
        Elements.of(loss).set(0, total / input.elementCount());
    }

    @Override
    public void meanSquaredErrorBackward(Tensor input, Tensor target, Tensor gradLoss, Tensor gradInput) {
        Elements x = Elements.of(input);
        Elements t = Elements.of(target);
        Elements gx = Elements.of(gradInput);
        double scale = 2 * Elements.of(gradLoss).get(0) / input.elementCount();
        for (long i = 0; i < input.elementCount(); i++) {
            gx.set(i, scale * (x.get(i) - t.get(i)));
        }
    }

    @Override
    public long findBadIndex(Tensor indices, int classes) {
        Elements index = Elements.of(indices);
        for (long i = 0; i < indices.elementCount(); i++) {
            if (index.getInt(i) < 0 || index.getInt(i) >= classes) {
                return i;
            }
        }
        return -1;
    }
}
