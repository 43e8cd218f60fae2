package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.FLOATS;
import static tenon.engine.backend.cpu.Lanes.L;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** {@link ActivationLoops} with the Vector API; the remainder that fills no vector is left to it. F32 and BF16 have loops of
 * their own: the compiler boxes the vectors of a loop that chooses between them. */
final class VectorActivationLoops extends ActivationLoops {
    private static VectorMask<Float> positive(FloatVector x) {
        return x.compare(VectorOperators.GT, 0f);
    }

    @Override
    void relu(boolean bf16, MemorySegment in, MemorySegment out, long from, long to) {
        if (bf16) {
            reluBf16(in, out, from, to);
        } else {
            reluF32(in, out, from, to);
        }
    }

    private void reluBf16(MemorySegment in, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            Lanes.storeBf16(Lanes.relu(Lanes.loadBf16(in, i)), out, i);
        }
        super.relu(true, in, out, bound, to);
    }

    private void reluF32(MemorySegment in, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            Lanes.store(Lanes.relu(Lanes.load(in, i)), out, i);
        }
        super.relu(false, in, out, bound, to);
    }

    @Override
    void reluBackward(
            boolean bf16, MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        if (bf16) {
            reluBackwardBf16(output, gradOut, gradIn, from, to);
        } else {
            reluBackwardF32(output, gradOut, gradIn, from, to);
        }
    }

    private void reluBackwardBf16(
            MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            Lanes.storeBf16(Lanes.where(Lanes.loadBf16(output, i), Lanes.loadBf16(gradOut, i)), gradIn, i);
        }
        super.reluBackward(true, output, gradOut, gradIn, bound, to);
    }

    private void reluBackwardF32(
            MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            Lanes.store(Lanes.where(Lanes.load(output, i), Lanes.load(gradOut, i)), gradIn, i);
        }
        super.reluBackward(false, output, gradOut, gradIn, bound, to);
    }

    @Override
    void addRelu(boolean bf16, MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        if (bf16) {
            addReluBf16(a, b, out, from, to);
        } else {
            addReluF32(a, b, out, from, to);
        }
    }

    private void addReluBf16(MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            Lanes.storeBf16(Lanes.relu(Lanes.loadBf16(a, i).add(Lanes.loadBf16(b, i))), out, i);
        }
        super.addRelu(true, a, b, out, bound, to);
    }

    private void addReluF32(MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            Lanes.store(Lanes.relu(Lanes.load(a, i).add(Lanes.load(b, i))), out, i);
        }
        super.addRelu(false, a, b, out, bound, to);
    }

    @Override
    void relu6(boolean bf16, MemorySegment in, MemorySegment out, long from, long to) {
        if (bf16) {
            relu6Bf16(in, out, from, to);
        } else {
            relu6F32(in, out, from, to);
        }
    }

    private void relu6Bf16(MemorySegment in, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            Lanes.storeBf16(Lanes.clamp(Lanes.loadBf16(in, i), 6), out, i);
        }
        super.relu6(true, in, out, bound, to);
    }

    private void relu6F32(MemorySegment in, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            Lanes.store(Lanes.clamp(Lanes.load(in, i), 6), out, i);
        }
        super.relu6(false, in, out, bound, to);
    }

    @Override
    void relu6Backward(
            boolean bf16, MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        if (bf16) {
            relu6BackwardBf16(output, gradOut, gradIn, from, to);
        } else {
            relu6BackwardF32(output, gradOut, gradIn, from, to);
        }
    }

    private void relu6BackwardBf16(
            MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            Lanes.storeBf16(Lanes.inside(Lanes.loadBf16(output, i), 6, Lanes.loadBf16(gradOut, i)), gradIn, i);
        }
        super.relu6Backward(true, output, gradOut, gradIn, bound, to);
    }

    private void relu6BackwardF32(
            MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            Lanes.store(Lanes.inside(Lanes.load(output, i), 6, Lanes.load(gradOut, i)), gradIn, i);
        }
        super.relu6Backward(false, output, gradOut, gradIn, bound, to);
    }

    @Override
    void leakyRelu(boolean bf16, MemorySegment in, float slope, MemorySegment out, long from, long to) {
        if (bf16) {
            leakyReluBf16(in, slope, out, from, to);
        } else {
            leakyReluF32(in, slope, out, from, to);
        }
    }

    private void leakyReluBf16(MemorySegment in, float slope, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector x = Lanes.loadBf16(in, i);
            Lanes.storeBf16(x.mul(slope).blend(x, positive(x)), out, i);
        }
        super.leakyRelu(true, in, slope, out, bound, to);
    }

    private void leakyReluF32(MemorySegment in, float slope, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector x = Lanes.load(in, i);
            Lanes.store(x.mul(slope).blend(x, positive(x)), out, i);
        }
        super.leakyRelu(false, in, slope, out, bound, to);
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
        if (bf16) {
            leakyReluBackwardBf16(output, gradOut, slope, gradIn, from, to);
        } else {
            leakyReluBackwardF32(output, gradOut, slope, gradIn, from, to);
        }
    }

    private void leakyReluBackwardBf16(
            MemorySegment output, MemorySegment gradOut, float slope, MemorySegment gradIn, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector g = Lanes.loadBf16(gradOut, i);
            Lanes.storeBf16(g.mul(slope).blend(g, positive(Lanes.loadBf16(output, i))), gradIn, i);
        }
        super.leakyReluBackward(true, output, gradOut, slope, gradIn, bound, to);
    }

    private void leakyReluBackwardF32(
            MemorySegment output, MemorySegment gradOut, float slope, MemorySegment gradIn, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector g = Lanes.load(gradOut, i);
            Lanes.store(g.mul(slope).blend(g, positive(Lanes.load(output, i))), gradIn, i);
        }
        super.leakyReluBackward(false, output, gradOut, slope, gradIn, bound, to);
    }

    @Override
    void elu(boolean bf16, MemorySegment in, float alpha, MemorySegment out, long from, long to) {
        if (bf16) {
            eluBf16(in, alpha, out, from, to);
        } else {
            eluF32(in, alpha, out, from, to);
        }
    }

    private void eluBf16(MemorySegment in, float alpha, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector x = Lanes.loadBf16(in, i);
            Lanes.storeBf16(VectorExponential.expm1(x).mul(alpha).blend(x, positive(x)), out, i);
        }
        super.elu(true, in, alpha, out, bound, to);
    }

    private void eluF32(MemorySegment in, float alpha, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector x = Lanes.load(in, i);
            Lanes.store(VectorExponential.expm1(x).mul(alpha).blend(x, positive(x)), out, i);
        }
        super.elu(false, in, alpha, out, bound, to);
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
        if (bf16) {
            eluBackwardBf16(output, gradOut, alpha, gradIn, from, to);
        } else {
            eluBackwardF32(output, gradOut, alpha, gradIn, from, to);
        }
    }

    private void eluBackwardBf16(
            MemorySegment output, MemorySegment gradOut, float alpha, MemorySegment gradIn, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector y = Lanes.loadBf16(output, i);
            FloatVector g = Lanes.loadBf16(gradOut, i);
            Lanes.storeBf16(y.add(alpha).mul(g).blend(g, positive(y)), gradIn, i);
        }
        super.eluBackward(true, output, gradOut, alpha, gradIn, bound, to);
    }

    private void eluBackwardF32(
            MemorySegment output, MemorySegment gradOut, float alpha, MemorySegment gradIn, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector y = Lanes.load(output, i);
            FloatVector g = Lanes.load(gradOut, i);
            Lanes.store(y.add(alpha).mul(g).blend(g, positive(y)), gradIn, i);
        }
        super.eluBackward(false, output, gradOut, alpha, gradIn, bound, to);
    }

    @Override
    void sigmoid(boolean bf16, MemorySegment in, MemorySegment out, long from, long to) {
        if (bf16) {
            sigmoidBf16(in, out, from, to);
        } else {
            sigmoidF32(in, out, from, to);
        }
    }

    private void sigmoidBf16(MemorySegment in, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        FloatVector one = FloatVector.broadcast(FLOATS, 1f);
        for (long i = from; i < bound; i += L) {
            FloatVector x = Lanes.loadBf16(in, i);
            FloatVector e = VectorExponential.exp(x.abs().neg());
            Lanes.storeBf16(one.blend(e, x.compare(VectorOperators.LT, 0f)).div(e.add(one)), out, i);
        }
        super.sigmoid(true, in, out, bound, to);
    }

    private void sigmoidF32(MemorySegment in, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        FloatVector one = FloatVector.broadcast(FLOATS, 1f);
        for (long i = from; i < bound; i += L) {
            FloatVector x = Lanes.load(in, i);
            FloatVector e = VectorExponential.exp(x.abs().neg());
            Lanes.store(one.blend(e, x.compare(VectorOperators.LT, 0f)).div(e.add(one)), out, i);
        }
        super.sigmoid(false, in, out, bound, to);
    }

    @Override
    void sigmoidBackward(
            boolean bf16, MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        if (bf16) {
            sigmoidBackwardBf16(output, gradOut, gradIn, from, to);
        } else {
            sigmoidBackwardF32(output, gradOut, gradIn, from, to);
        }
    }

    private void sigmoidBackwardBf16(
            MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        long bound = Lanes.bound(from, to);
        FloatVector one = FloatVector.broadcast(FLOATS, 1f);
        for (long i = from; i < bound; i += L) {
            FloatVector y = Lanes.loadBf16(output, i);
            Lanes.storeBf16(y.mul(one.sub(y)).mul(Lanes.loadBf16(gradOut, i)), gradIn, i);
        }
        super.sigmoidBackward(true, output, gradOut, gradIn, bound, to);
    }

    private void sigmoidBackwardF32(
            MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        long bound = Lanes.bound(from, to);
        FloatVector one = FloatVector.broadcast(FLOATS, 1f);
        for (long i = from; i < bound; i += L) {
            FloatVector y = Lanes.load(output, i);
            Lanes.store(y.mul(one.sub(y)).mul(Lanes.load(gradOut, i)), gradIn, i);
        }
        super.sigmoidBackward(false, output, gradOut, gradIn, bound, to);
    }

    @Override
    void tanh(boolean bf16, MemorySegment in, MemorySegment out, long from, long to) {
        if (bf16) {
            tanhBf16(in, out, from, to);
        } else {
            tanhF32(in, out, from, to);
        }
    }

    private void tanhBf16(MemorySegment in, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector x = Lanes.loadBf16(in, i);
            FloatVector m = VectorExponential.expm1(x.abs().mul(-2f));
            FloatVector y = m.div(m.add(2f));
            Lanes.storeBf16(y.blend(y.neg(), positive(x)), out, i);
        }
        super.tanh(true, in, out, bound, to);
    }

    private void tanhF32(MemorySegment in, MemorySegment out, long from, long to) {
        long bound = Lanes.bound(from, to);
        for (long i = from; i < bound; i += L) {
            FloatVector x = Lanes.load(in, i);
            FloatVector m = VectorExponential.expm1(x.abs().mul(-2f));
            FloatVector y = m.div(m.add(2f));
            Lanes.store(y.blend(y.neg(), positive(x)), out, i);
        }
        super.tanh(false, in, out, bound, to);
    }

    @Override
    void tanhBackward(
            boolean bf16, MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        if (bf16) {
            tanhBackwardBf16(output, gradOut, gradIn, from, to);
        } else {
            tanhBackwardF32(output, gradOut, gradIn, from, to);
        }
    }

    private void tanhBackwardBf16(
            MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        long bound = Lanes.bound(from, to);
        FloatVector one = FloatVector.broadcast(FLOATS, 1f);
        for (long i = from; i < bound; i += L) {
            FloatVector y = Lanes.loadBf16(output, i);
            Lanes.storeBf16(one.sub(y.mul(y)).mul(Lanes.loadBf16(gradOut, i)), gradIn, i);
        }
        super.tanhBackward(true, output, gradOut, gradIn, bound, to);
    }

    private void tanhBackwardF32(
            MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        long bound = Lanes.bound(from, to);
        FloatVector one = FloatVector.broadcast(FLOATS, 1f);
        for (long i = from; i < bound; i += L) {
            FloatVector y = Lanes.load(output, i);
            Lanes.store(one.sub(y.mul(y)).mul(Lanes.load(gradOut, i)), gradIn, i);
        }
        super.tanhBackward(false, output, gradOut, gradIn, bound, to);
    }

    @Override
    void prelu(
            boolean bf16, MemorySegment in, MemorySegment slope, MemorySegment out, int columns, long from, long to) {
        if (bf16) {
            preluBf16(in, slope, out, columns, from, to);
        } else {
            preluF32(in, slope, out, columns, from, to);
        }
    }

    private void preluBf16(MemorySegment in, MemorySegment slope, MemorySegment out, int columns, long from, long to) {
        int bound = FLOATS.loopBound(columns);
        for (long r = from; r < to; r++) {
            long start = r * columns;
            for (int c = 0; c < bound; c += L) {
                FloatVector x = Lanes.loadBf16(in, start + c);
                Lanes.storeBf16(x.mul(Lanes.load(slope, c)).blend(x, positive(x)), out, start + c);
            }
            preluRow(true, in, slope, out, start, bound, columns);
        }
    }

    private void preluF32(MemorySegment in, MemorySegment slope, MemorySegment out, int columns, long from, long to) {
        int bound = FLOATS.loopBound(columns);
        for (long r = from; r < to; r++) {
            long start = r * columns;
            for (int c = 0; c < bound; c += L) {
                FloatVector x = Lanes.load(in, start + c);
                Lanes.store(x.mul(Lanes.load(slope, c)).blend(x, positive(x)), out, start + c);
            }
            preluRow(false, in, slope, out, start, bound, columns);
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
        if (bf16) {
            preluBackwardBf16(in, slope, gradOut, gradIn, columns, from, to);
        } else {
            preluBackwardF32(in, slope, gradOut, gradIn, columns, from, to);
        }
    }

    private void preluBackwardBf16(
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
                FloatVector g = Lanes.loadBf16(gradOut, start + c);
                Lanes.storeBf16(
                        g.mul(Lanes.load(slope, c)).blend(g, positive(Lanes.loadBf16(in, start + c))),
                        gradIn,
                        start + c);
            }
            preluBackwardRow(true, in, slope, gradOut, gradIn, start, bound, columns);
        }
    }

    private void preluBackwardF32(
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
                FloatVector g = Lanes.load(gradOut, start + c);
                Lanes.store(
                        g.mul(Lanes.load(slope, c)).blend(g, positive(Lanes.load(in, start + c))), gradIn, start + c);
            }
            preluBackwardRow(false, in, slope, gradOut, gradIn, start, bound, columns);
        }
    }

    @Override
    void preluSlopes(
            boolean bf16, MemorySegment in, MemorySegment gradOut, float[] sums, int columns, long from, long to) {
        if (bf16) {
            preluSlopesBf16(in, gradOut, sums, columns, from, to);
        } else {
            preluSlopesF32(in, gradOut, sums, columns, from, to);
        }
    }

    private void preluSlopesBf16(
            MemorySegment in, MemorySegment gradOut, float[] sums, int columns, long from, long to) {
        int bound = FLOATS.loopBound(columns);
        for (long r = from; r < to; r++) {
            long start = r * columns;
            for (int c = 0; c < bound; c += L) {
                FloatVector x = Lanes.loadBf16(in, start + c);
                FloatVector term = x.mul(Lanes.loadBf16(gradOut, start + c)).blend(0f, positive(x));
                Lanes.load(sums, c).add(term).intoArray(sums, c);
            }
            preluSlopesRow(true, in, gradOut, sums, start, bound, columns);
        }
    }

    private void preluSlopesF32(
            MemorySegment in, MemorySegment gradOut, float[] sums, int columns, long from, long to) {
        int bound = FLOATS.loopBound(columns);
        for (long r = from; r < to; r++) {
            long start = r * columns;
            for (int c = 0; c < bound; c += L) {
                FloatVector x = Lanes.load(in, start + c);
                FloatVector term = x.mul(Lanes.load(gradOut, start + c)).blend(0f, positive(x));
                Lanes.load(sums, c).add(term).intoArray(sums, c);
            }
            preluSlopesRow(false, in, gradOut, sums, start, bound, columns);
        }
    }
}
