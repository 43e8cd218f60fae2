package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Floats.get;
import static tenon.engine.backend.cpu.Floats.set;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import tenon.engine.DType;

/** Plain loops. */
final class ScalarUpdateLoops implements UpdateLoops {
    /** Java has no flush-to-zero mode, and arithmetic on denormals is a hundred times slower. */
    private static float flush(float x) {
        return Math.abs(x) < Float.MIN_NORMAL ? 0 : x;
    }

    private static void setWeight(Memory m, long i, float w) {
        set(m.weight, i, w);
        if (m.copy != null) {
            m.copy.setAtIndex(ValueLayout.JAVA_SHORT, i - m.copyStart, DType.floatToBf16(w));
        }
    }

    @Override
    public void sgd(
            Memory m, float rate, float momentum, boolean nesterov, float rescale, float decay, long from, long to) {
        for (long i = from; i < to; i++) {
            float w = get(m.weight, i);
            float g = rescale * get(m.grad, i) + decay * w;
            if (m.first != null) {
                float v = flush(momentum * get(m.first, i) + g);
                set(m.first, i, v);
                g = nesterov ? g + momentum * v : v;
            }
            setWeight(m, i, w - rate * g);
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
        for (long i = from; i < to; i++) {
            float w = get(memory.weight, i);
            float g = rescale * get(memory.grad, i) + decay * w;
            float m = flush(beta1 * get(memory.first, i) + (1 - beta1) * g);
            float v = flush(beta2 * get(memory.second, i) + (1 - beta2) * (g * g));
            set(memory.first, i, m);
            set(memory.second, i, v);
            float root = (float) Math.sqrt(v * correction2);
            setWeight(memory, i, shrink * w - rate * (m * correction1) / (root + epsilon));
        }
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
        for (long i = from; i < to; i++) {
            float w = get(m.weight, i);
            float g = rescale * get(m.grad, i) + decay * w;
            float s = flush(smoothing * get(m.first, i) + (1 - smoothing) * (g * g));
            set(m.first, i, s);
            float d = g / ((float) Math.sqrt(s) + epsilon);
            if (m.second != null) {
                d = flush(momentum * get(m.second, i) + d);
                set(m.second, i, d);
            }
            setWeight(m, i, w - rate * d);
        }
    }

    @Override
    public double sumOfSquares(MemorySegment in, long from, long to) {
        double sum = 0;
        for (long i = from; i < to; i++) {
            double x = get(in, i);
            sum += x * x;
        }
        return sum;
    }
}
