package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.FLOATS;
import static tenon.engine.backend.cpu.Lanes.L;
import static tenon.engine.backend.cpu.Lanes.load;
import static tenon.engine.backend.cpu.Lanes.store;
import static tenon.engine.backend.cpu.Lanes.storeBf16;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** {@link ScalarUpdateLoops} with the Vector API; the remainder that fills no vector is left to it. */
final class VectorUpdateLoops implements UpdateLoops {
    private static final VectorSpecies<Double> DOUBLES = VectorSpecies.of(double.class, FLOATS.vectorShape());

    private final ScalarUpdateLoops scalar = new ScalarUpdateLoops();

    private static void storeWeight(FloatVector w, MemorySegment weight, MemorySegment copy, long start, long index) {
        store(w, weight, index);
        if (copy != null) {
            storeBf16(w, copy, index - start);
        }
    }

    private static FloatVector flush(FloatVector x) {
        VectorMask<Float> denormal = x.lanewise(VectorOperators.ABS).compare(VectorOperators.LT, Float.MIN_NORMAL);
        return x.blend(0f, denormal);
    }

    /** End of the part of [from, to) that whole vectors cover. */
    private static long bound(long from, long to) {
        return to - (to - from) % L;
    }

    /** One loop per rule and method: larger methods were compiled with vectors on the heap, six times slower. */
    @Override
    public void sgd(
            Memory m, float rate, float momentum, boolean nesterov, float rescale, float decay, long from, long to) {
        long bound = bound(from, to);
        if (m.first == null) {
            plain(m.weight, m.grad, m.copy, m.copyStart, rate, rescale, decay, from, bound);
        } else if (nesterov) {
            nesterov(m.weight, m.grad, m.first, m.copy, m.copyStart, rate, momentum, rescale, decay, from, bound);
        } else {
            momentum(m.weight, m.grad, m.first, m.copy, m.copyStart, rate, momentum, rescale, decay, from, bound);
        }
        scalar.sgd(m, rate, momentum, nesterov, rescale, decay, bound, to);
    }

    private static void plain(
            MemorySegment weight,
            MemorySegment grad,
            MemorySegment copy,
            long start,
            float rate,
            float rescale,
            float decay,
            long from,
            long bound) {
        for (long i = from; i < bound; i += L) {
            FloatVector w = load(weight, i);
            FloatVector g = load(grad, i).mul(rescale).add(w.mul(decay));
            storeWeight(w.sub(g.mul(rate)), weight, copy, start, i);
        }
    }

    private static void momentum(
            MemorySegment weight,
            MemorySegment grad,
            MemorySegment velocity,
            MemorySegment copy,
            long start,
            float rate,
            float momentum,
            float rescale,
            float decay,
            long from,
            long bound) {
        for (long i = from; i < bound; i += L) {
            FloatVector w = load(weight, i);
            FloatVector g = load(grad, i).mul(rescale).add(w.mul(decay));
            FloatVector v = flush(load(velocity, i).mul(momentum).add(g));
            store(v, velocity, i);
            storeWeight(w.sub(v.mul(rate)), weight, copy, start, i);
        }
    }

    private static void nesterov(
            MemorySegment weight,
            MemorySegment grad,
            MemorySegment velocity,
            MemorySegment copy,
            long start,
            float rate,
            float momentum,
            float rescale,
            float decay,
            long from,
            long bound) {
        for (long i = from; i < bound; i += L) {
            FloatVector w = load(weight, i);
            FloatVector g = load(grad, i).mul(rescale).add(w.mul(decay));
            FloatVector v = flush(load(velocity, i).mul(momentum).add(g));
            store(v, velocity, i);
            storeWeight(w.sub(g.add(v.mul(momentum)).mul(rate)), weight, copy, start, i);
        }
    }

    @Override
    public void adam(
            Memory memory,
            float rate,
            float beta1,
            float beta2,
            float epsilon,
            float correction1,
            float correction2,
            float shrink,
            float rescale,
            float decay,
            long from,
            long to) {
        MemorySegment weight = memory.weight;
        MemorySegment grad = memory.grad;
        MemorySegment first = memory.first;
        MemorySegment second = memory.second;
        MemorySegment copy = memory.copy;
        long start = memory.copyStart;
        long bound = bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector w = load(weight, i);
            FloatVector g = load(grad, i).mul(rescale).add(w.mul(decay));
            FloatVector m = flush(load(first, i).mul(beta1).add(g.mul(1 - beta1)));
            FloatVector v = flush(load(second, i).mul(beta2).add(g.mul(g).mul(1 - beta2)));
            store(m, first, i);
            store(v, second, i);
            FloatVector root = v.mul(correction2).sqrt();
            FloatVector step = m.mul(correction1).mul(rate).div(root.add(epsilon));
            storeWeight(w.mul(shrink).sub(step), weight, copy, start, i);
        }
        scalar.adam(memory, rate, beta1, beta2, epsilon, correction1, correction2, shrink, rescale, decay, bound, to);
    }

    @Override
    public void rmsprop(
            Memory m,
            float rate,
            float smoothing,
            float epsilon,
            float momentum,
            float rescale,
            float decay,
            long from,
            long to) {
        MemorySegment weight = m.weight;
        MemorySegment grad = m.grad;
        MemorySegment square = m.first;
        MemorySegment buffer = m.second;
        MemorySegment copy = m.copy;
        long start = m.copyStart;
        long bound = bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector w = load(weight, i);
            FloatVector g = load(grad, i).mul(rescale).add(w.mul(decay));
            FloatVector s = flush(load(square, i).mul(smoothing).add(g.mul(g).mul(1 - smoothing)));
            store(s, square, i);
            FloatVector d = g.div(s.sqrt().add(epsilon));
            if (buffer != null) {
                d = flush(load(buffer, i).mul(momentum).add(d));
                store(d, buffer, i);
            }
            storeWeight(w.sub(d.mul(rate)), weight, copy, start, i);
        }
        scalar.rmsprop(m, rate, smoothing, epsilon, momentum, rescale, decay, bound, to);
    }

    @Override
    public double sumOfSquares(MemorySegment in, long from, long to) {
        DoubleVector low = DoubleVector.zero(DOUBLES);
        DoubleVector high = DoubleVector.zero(DOUBLES);
        long bound = bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector x = load(in, i);
            DoubleVector a = (DoubleVector) x.convertShape(VectorOperators.F2D, DOUBLES, 0);
            DoubleVector b = (DoubleVector) x.convertShape(VectorOperators.F2D, DOUBLES, 1);
            low = a.fma(a, low);
            high = b.fma(b, high);
        }
        return low.add(high).reduceLanes(VectorOperators.ADD) + scalar.sumOfSquares(in, bound, to);
    }
}
