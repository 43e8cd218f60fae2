package tenon.engine.backend.cpu;

import java.util.Arrays;
import tenon.engine.Tensor;
import tenon.engine.backend.UpdateKernels;
import tenon.engine.memory.Storage;

/**
 * Optimizer updates. A weight, its gradient and its state are brought to one layout, where they stay (see {@link WeightForm}), and then updated
 * element by element, padding included, which is and stays zero.
 *
 * <p>Parameters go in groups that fit the last-level cache: the threads share a group as one long array, then the copies that convolutions read are
 * made from what is still in the cache. BF16 copies in the weight's own order are written in the same pass.
 */
final class CpuUpdates implements UpdateKernels {
    /** Fewest elements that are worth a second thread. */
    private static final long GRAIN = 16384;
    /** Elements of a group: weight, gradient and velocity are 12 MiB. */
    private static final long GROUP = 1 << 20;
    /** Elements whose squares are one partial sum. */
    private static final long STRIPE = 1 << 16;

    /** Updates elements [from, to) of parameter {@code index}. */
    @FunctionalInterface
    private interface Update {
        void run(int index, UpdateLoops.Memory memory, long from, long to);
    }

    private final CpuBackend backend;
    private final UpdateLoops loops = UpdateLoops.best();
    private UpdateLoops.Memory[] memory = {};
    private long[] counts = {};
    private double[] partials = {};

    CpuUpdates(CpuBackend backend) {
        this.backend = backend;
    }

    private void forAll(Tensor[] weight, Tensor[] grad, Tensor[] first, Tensor[] second, Update update) {
        synchronized (backend.dnnl) {
            reserve(weight.length);
            for (int i = 0; i < weight.length; i++) {
                backend.checkF32("update", weight[i]);
                counts[i] =
                        align(weight[i], grad[i], first == null ? null : first[i], second == null ? null : second[i]);
                UpdateLoops.Memory m = memory[i];
                m.weight = weight[i].storage().block();
                m.grad = grad[i].storage().block();
                m.first = first == null ? null : first[i].storage().block();
                m.second = second == null ? null : second[i].storage().block();
                Storage copy = sameOrderCopy(weight[i]);
                m.copy = copy == null ? null : copy.block();
            }
            int start = 0;
            while (start < weight.length) {
                int end = start + 1;
                long total = counts[start];
                while (end < weight.length && total + counts[end] <= GROUP) {
                    total += counts[end++];
                }
                run(start, total, update);
                for (int i = start; i < end; i++) {
                    WeightForm form = CpuBackend.form(weight[i]);
                    if (form != null) {
                        form.changed();
                    }
                }
                start = end;
            }
        }
    }

    private void reserve(int count) {
        if (memory.length < count) {
            int known = memory.length;
            memory = Arrays.copyOf(memory, count);
            counts = new long[count];
            for (int i = known; i < count; i++) {
                memory[i] = new UpdateLoops.Memory();
            }
        }
    }

    /** Updates the parameters from {@code start} on, {@code total} elements. */
    private void run(int start, long total, Update update) {
        backend.parallel.range(total, GRAIN, (from, to) -> {
            long begin = 0;
            for (int i = start; begin < to; i++) {
                long first = Math.max(from - begin, 0);
                long last = Math.min(to - begin, counts[i]);
                if (first < last) {
                    update.run(i, memory[i], first, last);
                }
                begin += counts[i];
            }
        });
    }

    /**
     * Brings a parameter's tensors to one layout: the gradient's at first, from then on the weight's.
     *
     * @return elements, padding included
     */
    private long align(Tensor weight, Tensor grad, Tensor first, Tensor second) {
        WeightForm own = CpuBackend.form(weight);
        WeightForm gradient = CpuBackend.form(grad);
        WeightLayout layout = own == null || own.isPlain() ? gradient == null ? null : gradient.layout() : own.layout();
        if (layout == null || layout.plain()) {
            restore(grad);
            restore(first);
            restore(second);
            return weight.elementCount();
        }
        move(weight, layout);
        move(grad, layout);
        move(first, layout);
        move(second, layout);
        return layout.elementCount();
    }

    private static void restore(Tensor tensor) {
        WeightForm form = tensor == null ? null : CpuBackend.form(tensor);
        if (form != null) {
            form.restore();
        }
    }

    private void move(Tensor tensor, WeightLayout layout) {
        if (tensor != null) {
            WeightForm.of(backend, tensor.storage(), layout.geometry()).move(layout);
        }
    }

    private static Storage sameOrderCopy(Tensor weight) {
        WeightForm form = CpuBackend.form(weight);
        return form == null ? null : form.sameOrderCopy();
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
            Tensor clip,
            float[] weightDecay,
            float[] rateScale) {
        float scale = rescale * UpdateKernels.factorOf(clip);
        forAll(
                weight,
                grad,
                velocity,
                null,
                (i, m, from, to) ->
                        loops.sgd(m, rate * rateScale[i], momentum, nesterov, scale, weightDecay[i], from, to));
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
            Tensor clip,
            float[] weightDecay,
            float[] rateScale) {
        float correction1 = (float) (1 / (1 - Math.pow(beta1, t)));
        float correction2 = (float) (1 / (1 - Math.pow(beta2, t)));
        float scale = rescale * UpdateKernels.factorOf(clip);
        forAll(weight, grad, firstMoment, secondMoment, (i, m, from, to) -> {
            float scaled = rate * rateScale[i];
            loops.adam(
                    m,
                    scaled,
                    beta1,
                    beta2,
                    epsilon,
                    correction1,
                    correction2,
                    decoupled ? 1 - scaled * weightDecay[i] : 1,
                    scale,
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
            Tensor clip,
            float[] weightDecay,
            float[] rateScale) {
        float scale = rescale * UpdateKernels.factorOf(clip);
        forAll(
                weight,
                grad,
                squareAverage,
                buffer,
                (i, m, from, to) -> loops.rmsprop(
                        m, rate * rateScale[i], decay, epsilon, momentum, scale, weightDecay[i], from, to));
    }

    @Override
    public double sumOfSquares(Tensor[] tensors) {
        synchronized (backend.dnnl) {
            reserve(tensors.length);
            int stripes = 0;
            for (int i = 0; i < tensors.length; i++) {
                backend.checkF32("sum_of_squares", tensors[i]);
                WeightForm form = CpuBackend.form(tensors[i]);
                counts[i] = form == null || form.isPlain()
                        ? tensors[i].elementCount()
                        : form.layout().elementCount();
                memory[i].grad = tensors[i].storage().block();
                stripes += stripes(i);
            }
            if (partials.length < stripes) {
                partials = new double[stripes];
            }
            backend.parallel.parts(stripes, this::sumStripe);
            double sum = 0;
            for (int i = 0; i < stripes; i++) {
                sum += partials[i];
            }
            return sum;
        }
    }

    private int stripes(int index) {
        return Math.toIntExact((counts[index] + STRIPE - 1) / STRIPE);
    }

    private void sumStripe(int stripe) {
        int index = 0;
        int within = stripe;
        while (within >= stripes(index)) {
            within -= stripes(index++);
        }
        long from = within * STRIPE;
        partials[stripe] = loops.sumOfSquares(memory[index].grad, from, Math.min(counts[index], from + STRIPE));
    }
}
