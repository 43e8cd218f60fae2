package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tenon.engine.Tensor;
import tenon.engine.backend.UpdateKernels;

/**
 * Optimizer updates. A weight, its gradient and its state are brought to one layout, where they stay (see {@link WeightForm}), and then updated
 * element by element, padding included, which is and stays zero.
 *
 * <p>All parameters go in one parallel region, of which each thread gets a contiguous part. It updates a few hundred thousand elements at a time and
 * makes the copies that convolutions read from what is still in its cache. Copies in layouts that {@link BlockCopy} does not know are left to oneDNN,
 * afterwards.
 */
final class CpuUpdates implements UpdateKernels {
    /** Fewest elements that are worth a second thread. */
    private static final long GRAIN = 16384;
    /** Elements of one call of a loop. */
    private static final long BLOCK = 4096;
    /** Elements whose squares are one partial sum. */
    private static final long STRIPE = 1 << 16;

    /** Updates elements [from, to) of parameter {@code index}. */
    @FunctionalInterface
    private interface Update {
        void run(int index, UpdateLoops.Memory memory, long from, long to);
    }

    private final CpuBackend backend;
    private final UpdateLoops loops = UpdateLoops.best();
    private final List<UpdateLoops.Memory> ofThread = new ArrayList<>();
    private UpdateLoops.Memory[] memory = {};
    private long[] counts = {};
    /** Elements of each parameter that one thread updates before it makes copies of them. */
    private long[] chunks = {};

    private WeightForm[] forms = {};
    private double[] partials = {};

    CpuUpdates(CpuBackend backend) {
        this.backend = backend;
    }

    private void forAll(Tensor[] weight, Tensor[] grad, Tensor[] first, Tensor[] second, Update update) {
        synchronized (backend.dnnl) {
            reserve(weight.length);
            long total = 0;
            long largest = 0;
            for (int i = 0; i < weight.length; i++) {
                backend.checkF32("update", weight[i]);
                counts[i] =
                        align(weight[i], grad[i], first == null ? null : first[i], second == null ? null : second[i]);
                total += counts[i];
                UpdateLoops.Memory m = memory[i];
                m.weight = weight[i].storage().block();
                m.grad = grad[i].storage().block();
                m.first = first == null ? null : first[i].storage().block();
                m.second = second == null ? null : second[i].storage().block();
                forms[i] = CpuBackend.form(weight[i]);
                if (forms[i] != null) {
                    forms[i].startUpdate();
                }
                m.copy = forms[i] == null ? null : forms[i].sameOrderCopy();
                long chunk = forms[i] == null ? 0 : forms[i].chunk();
                chunks[i] = chunk == 0 ? BLOCK : chunk;
                largest = Math.max(largest, chunk);
            }
            run(total, largest, update);
            for (int i = 0; i < weight.length; i++) {
                if (forms[i] != null) {
                    forms[i].changed();
                    forms[i] = null;
                }
            }
        }
    }

    private void reserve(int count) {
        if (memory.length < count) {
            int known = memory.length;
            memory = Arrays.copyOf(memory, count);
            counts = new long[count];
            chunks = new long[count];
            forms = new WeightForm[count];
            for (int i = known; i < count; i++) {
                memory[i] = new UpdateLoops.Memory();
            }
        }
    }

    /** Updates all parameters, {@code total} elements, in chunks of {@code largest} elements at most. */
    private void run(long total, long largest, Update update) {
        int threads = backend.parallel.threads();
        while (ofThread.size() < threads) {
            ofThread.add(new UpdateLoops.Memory());
        }
        MemorySegment bf16 = backend.dnnl.scratchpad.segment(2 * largest * threads);
        int parts = Math.clamp(total / GRAIN, 1, threads);
        backend.parallel.parts(parts, part -> {
            long from = total * part / parts;
            long to = total * (part + 1) / parts;
            long begin = 0;
            for (int i = 0; begin < to; i++) {
                long end = Math.min(roundUp(to - begin, chunks[i]), counts[i]);
                for (long at = roundUp(from - begin, chunks[i]); at < end; at += chunks[i]) {
                    updateChunk(i, at, Math.min(at + chunks[i], end), bf16, part * largest, ofThread.get(part), update);
                }
                begin += counts[i];
            }
        });
    }

    /** The next multiple of {@code chunk}, from 0 on. */
    private static long roundUp(long index, long chunk) {
        return index <= 0 ? 0 : (index + chunk - 1) / chunk * chunk;
    }

    /** @param offset element of {@code bf16} from which on the thread may write */
    private void updateChunk(
            int index, long from, long to, MemorySegment bf16, long offset, UpdateLoops.Memory own, Update update) {
        WeightForm form = forms[index];
        own.of(memory[index]);
        if (form != null && form.hasBf16Blocks()) {
            own.copy = bf16;
            own.copyStart = from - offset;
        }
        CpuBackend.blocks(from, to, BLOCK, (first, last) -> update.run(index, own, first, last));
        if (form != null) {
            form.writeCopies(bf16.address(), from - offset, from, to);
        }
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
