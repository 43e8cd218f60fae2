package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import tenon.engine.Tensor;
import tenon.engine.backend.UpdateKernels;

/** Optimizer updates: all parameters are one long array that the threads share, so small ones cost no synchronization. */
final class CpuUpdates implements UpdateKernels {
    private static final long GRAIN = 16384;

    /** Updates elements [from, to) of parameter {@code index}. */
    @FunctionalInterface
    private interface Update {
        void run(int index, long from, long to);
    }

    private final CpuBackend backend;

    CpuUpdates(CpuBackend backend) {
        this.backend = backend;
    }

    private void forAll(Tensor[] weight, Update update) {
        long total = 0;
        for (Tensor w : weight) {
            backend.checkDType("update", w);
            total += w.elementCount();
        }
        backend.parallel.range(total, GRAIN, (from, to) -> {
            long start = 0;
            for (int i = 0; i < weight.length && start < to; i++) {
                long count = weight[i].elementCount();
                long first = Math.max(from - start, 0);
                long last = Math.min(to - start, count);
                if (first < last) {
                    update.run(i, first, last);
                }
                start += count;
            }
        });
    }

    private static MemorySegment segment(Tensor[] tensors, int index) {
        return tensors == null || tensors[index] == null ? null : tensors[index].segment();
    }

    @Override
    public void sgd(
            Tensor[] weight,
            Tensor[] grad,
            Tensor[] velocity,
            float rate,
            float momentum,
            boolean nesterov,
            float rescale,
            float[] weightDecay,
            float[] rateScale) {
        FloatKernels kernels = backend.kernels;
        forAll(
                weight,
                (i, from, to) -> kernels.sgd(
                        weight[i].segment(),
                        grad[i].segment(),
                        segment(velocity, i),
                        rate * rateScale[i],
                        momentum,
                        nesterov,
                        rescale,
                        weightDecay[i],
                        from,
                        to));
    }

    @Override
    public void adam(
            Tensor[] weight,
            Tensor[] grad,
            Tensor[] firstMoment,
            Tensor[] secondMoment,
            float rate,
            float beta1,
            float beta2,
            float epsilon,
            int t,
            boolean decoupled,
            float rescale,
            float[] weightDecay,
            float[] rateScale) {
        FloatKernels kernels = backend.kernels;
        float correction1 = (float) (1 / (1 - Math.pow(beta1, t)));
        float correction2 = (float) (1 / (1 - Math.pow(beta2, t)));
        forAll(weight, (i, from, to) -> {
            float scaled = rate * rateScale[i];
            kernels.adam(
                    weight[i].segment(),
                    grad[i].segment(),
                    firstMoment[i].segment(),
                    secondMoment[i].segment(),
                    scaled,
                    beta1,
                    beta2,
                    epsilon,
                    correction1,
                    correction2,
                    decoupled ? 1 - scaled * weightDecay[i] : 1,
                    rescale,
                    decoupled ? 0 : weightDecay[i],
                    from,
                    to);
        });
    }

    @Override
    public void rmsprop(
            Tensor[] weight,
            Tensor[] grad,
            Tensor[] squareAverage,
            Tensor[] buffer,
            float rate,
            float decay,
            float epsilon,
            float momentum,
            float rescale,
            float[] weightDecay,
            float[] rateScale) {
        FloatKernels kernels = backend.kernels;
        forAll(
                weight,
                (i, from, to) -> kernels.rmsprop(
                        weight[i].segment(),
                        grad[i].segment(),
                        squareAverage[i].segment(),
                        segment(buffer, i),
                        rate * rateScale[i],
                        decay,
                        epsilon,
                        momentum,
                        rescale,
                        weightDecay[i],
                        from,
                        to));
    }
}
