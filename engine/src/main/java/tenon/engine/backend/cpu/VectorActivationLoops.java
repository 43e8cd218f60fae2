package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.FLOATS;
import static tenon.engine.backend.cpu.Lanes.L;
import static tenon.engine.backend.cpu.Lanes.load;
import static tenon.engine.backend.cpu.Lanes.store;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** {@link ActivationLoops} with the Vector API; the remainder that fills no vector is left to it. */
final class VectorActivationLoops extends ActivationLoops {
    private static VectorMask<Float> positive(FloatVector x) {
        return x.compare(VectorOperators.GT, 0f);
    }

    @Override
    void relu(boolean bf16, MemorySegment in, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            store(bf16, Lanes.relu(load(bf16, in, i)), out, i);
        }
        super.relu(bf16, in, out, bound, to);
    }

    @Override
    void reluBackward(
            boolean bf16, MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            store(bf16, Lanes.where(load(bf16, output, i), load(bf16, gradOut, i)), gradIn, i);
        }
        super.reluBackward(bf16, output, gradOut, gradIn, bound, to);
    }

    @Override
    void addRelu(boolean bf16, MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            store(bf16, Lanes.relu(load(bf16, a, i).add(load(bf16, b, i))), out, i);
        }
        super.addRelu(bf16, a, b, out, bound, to);
    }

    @Override
    void relu6(boolean bf16, MemorySegment in, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector x = Lanes.relu(load(bf16, in, i));
            store(bf16, x.blend(6f, x.compare(VectorOperators.GT, 6f)), out, i);
        }
        super.relu6(bf16, in, out, bound, to);
    }

    @Override
    void relu6Backward(
            boolean bf16, MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        long bound = Lanes.bound(from, to);
        FloatVector zero = FloatVector.zero(FLOATS);
        for (long i = from; i < bound; i += L) {
            FloatVector y = load(bf16, output, i);
            VectorMask<Float> inside = positive(y).and(y.compare(VectorOperators.LT, 6f));
            store(bf16, zero.blend(load(bf16, gradOut, i), inside), gradIn, i);
        }
        super.relu6Backward(bf16, output, gradOut, gradIn, bound, to);
    }

    @Override
    void leakyRelu(boolean bf16, MemorySegment in, float slope, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector x = load(bf16, in, i);
            store(bf16, x.mul(slope).blend(x, positive(x)), out, i);
        }
        super.leakyRelu(bf16, in, slope, out, bound, to);
    }

    @Override
    void leakyReluBackward(
            boolean bf16,
            MemorySegment output,
            MemorySegment gradOut,
            float slope,
            MemorySegment gradIn,
            long from,
            long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector g = load(bf16, gradOut, i);
            store(bf16, g.mul(slope).blend(g, positive(load(bf16, output, i))), gradIn, i);
        }
        super.leakyReluBackward(bf16, output, gradOut, slope, gradIn, bound, to);
    }

    @Override
    void elu(boolean bf16, MemorySegment in, float alpha, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector x = load(bf16, in, i);
            store(bf16, VectorExponential.expm1(x).mul(alpha).blend(x, positive(x)), out, i);
        }
        super.elu(bf16, in, alpha, out, bound, to);
    }

    @Override
    void eluBackward(
            boolean bf16,
            MemorySegment output,
            MemorySegment gradOut,
            float alpha,
            MemorySegment gradIn,
            long from,
            long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector y = load(bf16, output, i);
            FloatVector g = load(bf16, gradOut, i);
            store(bf16, y.add(alpha).mul(g).blend(g, positive(y)), gradIn, i);
        }
        super.eluBackward(bf16, output, gradOut, alpha, gradIn, bound, to);
    }

    @Override
    void sigmoid(boolean bf16, MemorySegment in, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        FloatVector one = FloatVector.broadcast(FLOATS, 1f);
        for (long i = from; i < bound; i += L) {
            FloatVector x = load(bf16, in, i);
            FloatVector e = VectorExponential.exp(x.abs().neg());
            store(bf16, one.blend(e, x.compare(VectorOperators.LT, 0f)).div(e.add(one)), out, i);
        }
        super.sigmoid(bf16, in, out, bound, to);
    }

    @Override
    void sigmoidBackward(
            boolean bf16, MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        long bound = Lanes.bound(from, to);
        FloatVector one = FloatVector.broadcast(FLOATS, 1f);
        for (long i = from; i < bound; i += L) {
            FloatVector y = load(bf16, output, i);
            store(bf16, y.mul(one.sub(y)).mul(load(bf16, gradOut, i)), gradIn, i);
        }
        super.sigmoidBackward(bf16, output, gradOut, gradIn, bound, to);
    }

    @Override
    void tanh(boolean bf16, MemorySegment in, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector x = load(bf16, in, i);
            FloatVector m = VectorExponential.expm1(x.abs().mul(-2f));
            FloatVector y = m.div(m.add(2f));
            store(bf16, y.blend(y.neg(), positive(x)), out, i);
        }
        super.tanh(bf16, in, out, bound, to);
    }

    @Override
    void tanhBackward(
            boolean bf16, MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        long bound = Lanes.bound(from, to);
        FloatVector one = FloatVector.broadcast(FLOATS, 1f);
        for (long i = from; i < bound; i += L) {
            FloatVector y = load(bf16, output, i);
            store(bf16, one.sub(y.mul(y)).mul(load(bf16, gradOut, i)), gradIn, i);
        }
        super.tanhBackward(bf16, output, gradOut, gradIn, bound, to);
    }

    @Override
    void prelu(
            boolean bf16, MemorySegment in, MemorySegment slope, MemorySegment out, int columns, long from, long to) {
        int bound = FLOATS.loopBound(columns);
        for (long r = from; r < to; r++) {
            long start = r * columns;
            for (int c = 0; c < bound; c += L) {
                FloatVector x = load(bf16, in, start + c);
                store(bf16, x.mul(load(slope, c)).blend(x, positive(x)), out, start + c);
            }
            preluRow(bf16, in, slope, out, start, bound, columns);
        }
    }

    @Override
    void preluBackward(
            boolean bf16,
            MemorySegment in,
            MemorySegment slope,
            MemorySegment gradOut,
            MemorySegment gradIn,
            int columns,
            long from,
            long to) {
        int bound = FLOATS.loopBound(columns);
        for (long r = from; r < to; r++) {
            long start = r * columns;
            for (int c = 0; c < bound; c += L) {
                FloatVector g = load(bf16, gradOut, start + c);
                store(bf16, g.mul(load(slope, c)).blend(g, positive(load(bf16, in, start + c))), gradIn, start + c);
            }
            preluBackwardRow(bf16, in, slope, gradOut, gradIn, start, bound, columns);
        }
    }

    @Override
    void preluSlopes(
            boolean bf16, MemorySegment in, MemorySegment gradOut, float[] sums, int columns, long from, long to) {
        int bound = FLOATS.loopBound(columns);
        for (long r = from; r < to; r++) {
            long start = r * columns;
            for (int c = 0; c < bound; c += L) {
                FloatVector x = load(bf16, in, start + c);
                FloatVector term = x.mul(load(bf16, gradOut, start + c)).blend(0f, positive(x));
                load(sums, c).add(term).intoArray(sums, c);
            }
            preluSlopesRow(bf16, in, gradOut, sums, start, bound, columns);
        }
    }
}
