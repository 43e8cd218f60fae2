package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Floats.get;
import static tenon.engine.backend.cpu.Floats.getInt;
import static tenon.engine.backend.cpu.Floats.set;

import java.lang.foreign.MemorySegment;
import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.LossKernels;

/** Softmax and losses as own kernels, with F64 inside each row. Logits may be BF16; probabilities, floating targets and losses are F32. */
final class CpuLosses implements LossKernels {
    /** An exponential costs about as much as this many additions. */
    private static final long COST = 16;

    private final CpuBackend backend;

    CpuLosses(CpuBackend backend) {
        this.backend = backend;
    }

    private void rows(long rows, int columns, Parallel.Range body) {
        backend.parallel.range(rows, Math.max(1, CpuBackend.GRAIN / COST / Math.max(1, columns)), body);
    }

    /** log Σ exp(x) over the row that begins at {@code start}. */
    private static double logSum(boolean bf16, MemorySegment x, long start, int c) {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < c; i++) {
            max = Math.max(max, get(bf16, x, start + i));
        }
        double sum = 0;
        for (int i = 0; i < c; i++) {
            sum += Math.exp(get(bf16, x, start + i) - max);
        }
        return max + Math.log(sum);
    }

    @Override
    public void softmaxForward(Tensor input, Tensor output) {
        backend.checkDType("softmax", input, output);
        int c = input.shape().dim(-1);
        MemorySegment x = input.segment();
        MemorySegment y = output.segment();
        boolean bf16 = input.dtype() == DType.BF16;
        rows(input.shape().outerCount(), c, (from, to) -> {
            for (long r = from; r < to; r++) {
                double logSum = logSum(bf16, x, r * c, c);
                for (long i = r * c; i < (r + 1) * c; i++) {
                    set(bf16, y, i, (float) Math.exp(get(bf16, x, i) - logSum));
                }
            }
        });
    }

    @Override
    public void softmaxBackward(Tensor output, Tensor gradOutput, Tensor gradInput) {
        backend.checkDType("softmax", output, gradOutput);
        int c = output.shape().dim(-1);
        MemorySegment y = output.segment();
        MemorySegment g = gradOutput.segment();
        MemorySegment gx = gradInput.segment();
        boolean bf16 = output.dtype() == DType.BF16;
        rows(output.shape().outerCount(), c, (from, to) -> {
            for (long r = from; r < to; r++) {
                double dot = 0;
                for (long i = r * c; i < (r + 1) * c; i++) {
                    dot += (double) get(bf16, g, i) * get(bf16, y, i);
                }
                for (long i = r * c; i < (r + 1) * c; i++) {
                    set(bf16, gx, i, (float) (get(bf16, y, i) * (get(bf16, g, i) - dot)));
                }
            }
        });
    }

    @Override
    public void softmaxCrossEntropyForward(
            Tensor logits, Tensor target, double smoothing, Tensor loss, Tensor probabilities) {
        backend.checkDType("softmax_cross_entropy", logits);
        backend.checkF32("softmax_cross_entropy", loss);
        boolean bf16 = logits.dtype() == DType.BF16;
        int n = logits.shape().dim(0);
        int c = logits.shape().dim(1);
        MemorySegment x = logits.segment();
        MemorySegment t = target.segment();
        MemorySegment p = probabilities == null ? null : probabilities.segment();
        boolean indices = target.dtype() == DType.I32;
        synchronized (backend.partials) {
            double[] losses = backend.partials.get(n);
            rows(n, c, (from, to) -> {
                for (long r = from; r < to; r++) {
                    double logSum = logSum(bf16, x, r * c, c);
                    losses[(int) r] = indices
                            ? rowLoss(bf16, x, r * c, c, getInt(t, r), logSum, smoothing)
                            : rowLoss(bf16, x, r * c, c, t, logSum, smoothing);
                    for (long i = r * c; p != null && i < (r + 1) * c; i++) {
                        set(p, i, (float) Math.exp(get(bf16, x, i) - logSum));
                    }
                }
            });
            double total = 0;
            for (int r = 0; r < n; r++) {
                total += losses[r];
            }
            set(loss.segment(), 0, (float) (total / n));
        }
    }

    private static double rowLoss(
            boolean bf16, MemorySegment x, long start, int c, int label, double logSum, double smoothing) {
        double loss = (1 - smoothing) * (logSum - get(bf16, x, start + label));
        if (smoothing > 0) {
            double all = 0;
            for (int i = 0; i < c; i++) {
                all += logSum - get(bf16, x, start + i);
            }
            loss += smoothing / c * all;
        }
        return loss;
    }

    private static double rowLoss(
            boolean bf16, MemorySegment x, long start, int c, MemorySegment target, double logSum, double smoothing) {
        double loss = 0;
        for (int i = 0; i < c; i++) {
            double q = (1 - smoothing) * get(target, start + i) + smoothing / c;
            loss += q == 0 ? 0 : q * (logSum - get(bf16, x, start + i));
        }
        return loss;
    }

    @Override
    public void softmaxCrossEntropyBackward(
            Tensor probabilities, Tensor target, double smoothing, Tensor gradLoss, Tensor gradLogits) {
        backend.checkF32("softmax_cross_entropy", probabilities);
        backend.checkDType("softmax_cross_entropy", gradLogits);
        boolean bf16 = gradLogits.dtype() == DType.BF16;
        int n = probabilities.shape().dim(0);
        int c = probabilities.shape().dim(1);
        MemorySegment p = probabilities.segment();
        MemorySegment t = target.segment();
        MemorySegment g = gradLogits.segment();
        boolean indices = target.dtype() == DType.I32;
        double factor = get(gradLoss.segment(), 0) / n;
        double floor = smoothing / c;
        rows(n, c, (from, to) -> {
            for (long r = from; r < to; r++) {
                long start = r * c;
                int label = indices ? getInt(t, r) : -1;
                double mass = 1;
                if (!indices) {
                    mass = smoothing;
                    for (int i = 0; i < c; i++) {
                        mass += (1 - smoothing) * get(t, start + i);
                    }
                }
                for (int i = 0; i < c; i++) {
                    double hit = indices ? (i == label ? 1 : 0) : get(t, start + i);
                    double q = (1 - smoothing) * hit + floor;
                    set(bf16, g, start + i, (float) (factor * (get(p, start + i) * mass - q)));
                }
            }
        });
    }

    private void mean(Tensor logits, Tensor loss, Reductions.Term term) {
        long count = logits.elementCount();
        set(loss.segment(), 0, (float) (backend.reductions.sum(count, term) / count));
    }

    @Override
    public void sigmoidCrossEntropyForward(Tensor logits, Tensor target, Tensor loss) {
        backend.checkDType("sigmoid_cross_entropy", logits);
        backend.checkF32("sigmoid_cross_entropy", target);
        backend.checkF32("sigmoid_cross_entropy", loss);
        boolean bf16 = logits.dtype() == DType.BF16;
        MemorySegment xs = logits.segment();
        MemorySegment ts = target.segment();
        mean(logits, loss, (from, to) -> {
            double sum = 0;
            for (long i = from; i < to; i++) {
                double x = get(bf16, xs, i);
                sum += Math.max(x, 0) - x * get(ts, i) + Math.log1p(Math.exp(-Math.abs(x)));
            }
            return sum;
        });
    }

    @Override
    public void sigmoidCrossEntropyBackward(Tensor logits, Tensor target, Tensor gradLoss, Tensor gradLogits) {
        backend.checkDType("sigmoid_cross_entropy", logits, gradLogits);
        backend.checkF32("sigmoid_cross_entropy", target);
        boolean bf16 = logits.dtype() == DType.BF16;
        MemorySegment x = logits.segment();
        MemorySegment t = target.segment();
        MemorySegment g = gradLogits.segment();
        double factor = (double) get(gradLoss.segment(), 0) / logits.elementCount();
        rows(logits.elementCount(), 1, (from, to) -> {
            for (long i = from; i < to; i++) {
                double sigmoid = 1 / (1 + Math.exp(-get(bf16, x, i)));
                set(bf16, g, i, (float) (factor * (sigmoid - get(t, i))));
            }
        });
    }

    @Override
    public void meanSquaredErrorForward(Tensor input, Tensor target, Tensor loss) {
        backend.checkDType("mse", input);
        backend.checkF32("mse", target);
        backend.checkF32("mse", loss);
        boolean bf16 = input.dtype() == DType.BF16;
        MemorySegment x = input.segment();
        MemorySegment t = target.segment();
        mean(input, loss, (from, to) -> {
            double sum = 0;
            for (long i = from; i < to; i++) {
                double d = (double) get(bf16, x, i) - get(t, i);
                sum += d * d;
            }
            return sum;
        });
    }

    @Override
    public void meanSquaredErrorBackward(Tensor input, Tensor target, Tensor gradLoss, Tensor gradInput) {
        backend.checkDType("mse", input, gradInput);
        backend.checkF32("mse", target);
        boolean bf16 = input.dtype() == DType.BF16;
        MemorySegment x = input.segment();
        MemorySegment t = target.segment();
        MemorySegment g = gradInput.segment();
        double factor = 2.0 * get(gradLoss.segment(), 0) / input.elementCount();
        backend.elementwise(input.elementCount(), (from, to) -> {
            for (long i = from; i < to; i++) {
                set(bf16, g, i, (float) (factor * ((double) get(bf16, x, i) - get(t, i))));
            }
        });
    }

    @Override
    public long findBadIndex(Tensor indices, int classes) {
        MemorySegment values = indices.segment();
        for (long i = 0; i < indices.elementCount(); i++) {
            if (Integer.compareUnsigned(getInt(values, i), classes) >= 0) {
                return i;
            }
        }
        return -1;
    }
}
