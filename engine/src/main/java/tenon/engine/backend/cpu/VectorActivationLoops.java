package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.FLOATS;
import static tenon.engine.backend.cpu.Lanes.L;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import tenon.engine.ops.Activation;

/**
 * {@link ActivationLoops} with the Vector API; a remainder that fills no vector is left to it, or is computed with some elements before it where that changes
 * nothing. F32 and BF16 have loops of their own: the compiler boxes the vectors of a loop that chooses between them.
 */
final class VectorActivationLoops extends ActivationLoops {
    private static VectorMask<Float> positive(FloatVector x) {
        return x.compare(VectorOperators.GT, 0f);
    }

    @Override
    void forward(
            Activation activation,
            boolean bf16,
            MemorySegment in,
            long inFrom,
            MemorySegment out,
            long outFrom,
            long count) {
        int lanes = bf16 && activation.kind() == Activation.Kind.RELU ? Bf16Bits.LANES : L;
        long rest = count % lanes;
        vectors(activation, bf16, in, inFrom, out, outFrom, count - rest);
        if (rest > 0 && count >= lanes && in.address() != out.address()) {
            long last = count - lanes;
            vectors(activation, bf16, in, inFrom + last, out, outFrom + last, lanes);
        } else if (rest > 0) {
            long bound = count - rest;
            super.forward(activation, bf16, in, inFrom + bound, out, outFrom + bound, rest);
        }
    }

    private static void vectors(
            Activation activation,
            boolean bf16,
            MemorySegment in,
            long inFrom,
            MemorySegment out,
            long outFrom,
            long count) {
        if (bf16) {
            vectorsBf16(activation, in, inFrom, out, outFrom, count);
        } else {
            vectorsF32(activation, in, inFrom, out, outFrom, count);
        }
    }

    private static void vectorsBf16(
            Activation activation, MemorySegment in, long inFrom, MemorySegment out, long outFrom, long count) {
        float alpha = activation.alpha();
        switch (activation.kind()) {
            case NONE -> copy(true, in, inFrom, out, outFrom, count);
            case RELU -> reluBf16(in, inFrom, out, outFrom, count);
            case RELU6 -> relu6Bf16(in, inFrom, out, outFrom, count);
            case LEAKY_RELU -> leakyReluBf16(in, inFrom, alpha, out, outFrom, count);
            case ELU -> eluBf16(in, inFrom, alpha, out, outFrom, count);
            case SIGMOID -> sigmoidBf16(in, inFrom, out, outFrom, count);
            case TANH -> tanhBf16(in, inFrom, out, outFrom, count);
        }
    }

    private static void vectorsF32(
            Activation activation, MemorySegment in, long inFrom, MemorySegment out, long outFrom, long count) {
        float alpha = activation.alpha();
        switch (activation.kind()) {
            case NONE -> copy(false, in, inFrom, out, outFrom, count);
            case RELU -> reluF32(in, inFrom, out, outFrom, count);
            case RELU6 -> relu6F32(in, inFrom, out, outFrom, count);
            case LEAKY_RELU -> leakyReluF32(in, inFrom, alpha, out, outFrom, count);
            case ELU -> eluF32(in, inFrom, alpha, out, outFrom, count);
            case SIGMOID -> sigmoidF32(in, inFrom, out, outFrom, count);
            case TANH -> tanhF32(in, inFrom, out, outFrom, count);
        }
    }

    private static void copy(boolean bf16, MemorySegment in, long inFrom, MemorySegment out, long outFrom, long count) {
        long size = bf16 ? 2 : 4;
        MemorySegment.copy(in, inFrom * size, out, outFrom * size, count * size);
    }

    private static void reluBf16(MemorySegment in, long inFrom, MemorySegment out, long outFrom, long count) {
        for (long i = 0; i < count; i += Bf16Bits.LANES) {
            Bf16Bits.store(Bf16Bits.relu(Bf16Bits.load(in, inFrom + i)), out, outFrom + i);
        }
    }

    private static void reluF32(MemorySegment in, long inFrom, MemorySegment out, long outFrom, long count) {
        for (long i = 0; i < count; i += L) {
            Lanes.store(Lanes.relu(Lanes.load(in, inFrom + i)), out, outFrom + i);
        }
    }

    private static void relu6Bf16(MemorySegment in, long inFrom, MemorySegment out, long outFrom, long count) {
        for (long i = 0; i < count; i += L) {
            Lanes.storeBf16(Lanes.clamp(Lanes.loadBf16(in, inFrom + i), 6), out, outFrom + i);
        }
    }

    private static void relu6F32(MemorySegment in, long inFrom, MemorySegment out, long outFrom, long count) {
        for (long i = 0; i < count; i += L) {
            Lanes.store(Lanes.clamp(Lanes.load(in, inFrom + i), 6), out, outFrom + i);
        }
    }

    private static void leakyReluBf16(
            MemorySegment in, long inFrom, float alpha, MemorySegment out, long outFrom, long count) {
        for (long i = 0; i < count; i += L) {
            FloatVector x = Lanes.loadBf16(in, inFrom + i);
            Lanes.storeBf16(x.mul(alpha).blend(x, positive(x)), out, outFrom + i);
        }
    }

    private static void leakyReluF32(
            MemorySegment in, long inFrom, float alpha, MemorySegment out, long outFrom, long count) {
        for (long i = 0; i < count; i += L) {
            FloatVector x = Lanes.load(in, inFrom + i);
            Lanes.store(x.mul(alpha).blend(x, positive(x)), out, outFrom + i);
        }
    }

    private static void eluBf16(
            MemorySegment in, long inFrom, float alpha, MemorySegment out, long outFrom, long count) {
        for (long i = 0; i < count; i += L) {
            FloatVector x = Lanes.loadBf16(in, inFrom + i);
            FloatVector below = VectorExponential.expm1ToBf16(x).mul(alpha);
            Lanes.storeBf16(x.blend(below, x.compare(VectorOperators.LT, 0f)), out, outFrom + i);
        }
    }

    private static void eluF32(
            MemorySegment in, long inFrom, float alpha, MemorySegment out, long outFrom, long count) {
        for (long i = 0; i < count; i += L) {
            FloatVector x = Lanes.load(in, inFrom + i);
            FloatVector below = VectorExponential.expm1(x).mul(alpha);
            Lanes.store(x.blend(below, x.compare(VectorOperators.LT, 0f)), out, outFrom + i);
        }
    }

    private static void sigmoidBf16(MemorySegment in, long inFrom, MemorySegment out, long outFrom, long count) {
        FloatVector one = FloatVector.broadcast(FLOATS, 1f);
        for (long i = 0; i < count; i += L) {
            FloatVector x = Lanes.loadBf16(in, inFrom + i);
            FloatVector e = VectorExponential.exp(x.abs().neg());
            Lanes.storeBf16(one.blend(e, x.compare(VectorOperators.LT, 0f)).div(e.add(one)), out, outFrom + i);
        }
    }

    private static void sigmoidF32(MemorySegment in, long inFrom, MemorySegment out, long outFrom, long count) {
        FloatVector one = FloatVector.broadcast(FLOATS, 1f);
        for (long i = 0; i < count; i += L) {
            FloatVector x = Lanes.load(in, inFrom + i);
            FloatVector e = VectorExponential.exp(x.abs().neg());
            Lanes.store(one.blend(e, x.compare(VectorOperators.LT, 0f)).div(e.add(one)), out, outFrom + i);
        }
    }

    private static void tanhBf16(MemorySegment in, long inFrom, MemorySegment out, long outFrom, long count) {
        for (long i = 0; i < count; i += L) {
            FloatVector x = Lanes.loadBf16(in, inFrom + i);
            FloatVector m = VectorExponential.expm1(x.abs().mul(-2f));
            FloatVector y = m.div(m.add(2f));
            Lanes.storeBf16(y.blend(y.neg(), positive(x)), out, outFrom + i);
        }
    }

    private static void tanhF32(MemorySegment in, long inFrom, MemorySegment out, long outFrom, long count) {
        for (long i = 0; i < count; i += L) {
            FloatVector x = Lanes.load(in, inFrom + i);
            FloatVector m = VectorExponential.expm1(x.abs().mul(-2f));
            FloatVector y = m.div(m.add(2f));
            Lanes.store(y.blend(y.neg(), positive(x)), out, outFrom + i);
        }
    }

    @Override
    void backward(
            Activation activation,
            boolean bf16,
            MemorySegment output,
            MemorySegment gradOut,
            long outFrom,
            MemorySegment gradIn,
            long inFrom,
            long count) {
        boolean onBits =
                bf16 && (activation.kind() == Activation.Kind.RELU || activation.kind() == Activation.Kind.ELU);
        int lanes = onBits ? Bf16Bits.LANES : L;
        long rest = count % lanes;
        vectors(activation, bf16, output, gradOut, outFrom, gradIn, inFrom, count - rest);
        if (rest > 0
                && count >= lanes
                && gradIn.address() != gradOut.address()
                && gradIn.address() != output.address()) {
            long last = count - lanes;
            vectors(activation, bf16, output, gradOut, outFrom + last, gradIn, inFrom + last, lanes);
        } else if (rest > 0) {
            long bound = count - rest;
            super.backward(activation, bf16, output, gradOut, outFrom + bound, gradIn, inFrom + bound, rest);
        }
    }

    private static void vectors(
            Activation activation,
            boolean bf16,
            MemorySegment y,
            MemorySegment g,
            long outFrom,
            MemorySegment gx,
            long inFrom,
            long count) {
        if (bf16) {
            vectorsBf16(activation, y, g, outFrom, gx, inFrom, count);
        } else {
            vectorsF32(activation, y, g, outFrom, gx, inFrom, count);
        }
    }

    private static void vectorsBf16(
            Activation activation,
            MemorySegment y,
            MemorySegment g,
            long outFrom,
            MemorySegment gx,
            long inFrom,
            long count) {
        float alpha = activation.alpha();
        switch (activation.kind()) {
            case NONE -> copy(true, g, outFrom, gx, inFrom, count);
            case RELU -> reluBackwardBf16(y, g, outFrom, gx, inFrom, count);
            case RELU6 -> relu6BackwardBf16(y, g, outFrom, gx, inFrom, count);
            case LEAKY_RELU -> leakyReluBackwardBf16(y, g, outFrom, alpha, gx, inFrom, count);
            case ELU -> eluBackwardBf16(y, g, outFrom, alpha, gx, inFrom, count);
            case SIGMOID -> sigmoidBackwardBf16(y, g, outFrom, gx, inFrom, count);
            case TANH -> tanhBackwardBf16(y, g, outFrom, gx, inFrom, count);
        }
    }

    private static void vectorsF32(
            Activation activation,
            MemorySegment y,
            MemorySegment g,
            long outFrom,
            MemorySegment gx,
            long inFrom,
            long count) {
        float alpha = activation.alpha();
        switch (activation.kind()) {
            case NONE -> copy(false, g, outFrom, gx, inFrom, count);
            case RELU -> reluBackwardF32(y, g, outFrom, gx, inFrom, count);
            case RELU6 -> relu6BackwardF32(y, g, outFrom, gx, inFrom, count);
            case LEAKY_RELU -> leakyReluBackwardF32(y, g, outFrom, alpha, gx, inFrom, count);
            case ELU -> eluBackwardF32(y, g, outFrom, alpha, gx, inFrom, count);
            case SIGMOID -> sigmoidBackwardF32(y, g, outFrom, gx, inFrom, count);
            case TANH -> tanhBackwardF32(y, g, outFrom, gx, inFrom, count);
        }
    }

    private static void reluBackwardBf16(
            MemorySegment y, MemorySegment g, long outFrom, MemorySegment gx, long inFrom, long count) {
        for (long i = 0; i < count; i += Bf16Bits.LANES) {
            ShortVector result = Bf16Bits.load(y, outFrom + i);
            Bf16Bits.store(Bf16Bits.where(result, Bf16Bits.load(g, outFrom + i)), gx, inFrom + i);
        }
    }

    private static void reluBackwardF32(
            MemorySegment y, MemorySegment g, long outFrom, MemorySegment gx, long inFrom, long count) {
        for (long i = 0; i < count; i += L) {
            Lanes.store(Lanes.where(Lanes.load(y, outFrom + i), Lanes.load(g, outFrom + i)), gx, inFrom + i);
        }
    }

    private static void relu6BackwardBf16(
            MemorySegment y, MemorySegment g, long outFrom, MemorySegment gx, long inFrom, long count) {
        for (long i = 0; i < count; i += L) {
            Lanes.storeBf16(
                    Lanes.inside(Lanes.loadBf16(y, outFrom + i), 6, Lanes.loadBf16(g, outFrom + i)), gx, inFrom + i);
        }
    }

    private static void relu6BackwardF32(
            MemorySegment y, MemorySegment g, long outFrom, MemorySegment gx, long inFrom, long count) {
        for (long i = 0; i < count; i += L) {
            Lanes.store(Lanes.inside(Lanes.load(y, outFrom + i), 6, Lanes.load(g, outFrom + i)), gx, inFrom + i);
        }
    }

    private static void leakyReluBackwardBf16(
            MemorySegment y, MemorySegment g, long outFrom, float alpha, MemorySegment gx, long inFrom, long count) {
        for (long i = 0; i < count; i += L) {
            FloatVector gradient = Lanes.loadBf16(g, outFrom + i);
            FloatVector below = gradient.mul(alpha);
            Lanes.storeBf16(below.blend(gradient, positive(Lanes.loadBf16(y, outFrom + i))), gx, inFrom + i);
        }
    }

    private static void leakyReluBackwardF32(
            MemorySegment y, MemorySegment g, long outFrom, float alpha, MemorySegment gx, long inFrom, long count) {
        for (long i = 0; i < count; i += L) {
            FloatVector gradient = Lanes.load(g, outFrom + i);
            FloatVector below = gradient.mul(alpha);
            Lanes.store(below.blend(gradient, positive(Lanes.load(y, outFrom + i))), gx, inFrom + i);
        }
    }

    private static void eluBackwardBf16(
            MemorySegment y, MemorySegment g, long outFrom, float alpha, MemorySegment gx, long inFrom, long count) {
        for (long i = 0; i < count; i += Bf16Bits.LANES) {
            ShortVector result = Bf16Bits.load(y, outFrom + i);
            ShortVector gradient = Bf16Bits.load(g, outFrom + i);
            ShortVector below = Bf16Bits.round(
                    Bf16Bits.even(result).add(alpha).mul(Bf16Bits.even(gradient)),
                    Bf16Bits.odd(result).add(alpha).mul(Bf16Bits.odd(gradient)));
            Bf16Bits.store(below.blend(gradient, Bf16Bits.isPositive(result)), gx, inFrom + i);
        }
    }

    private static void eluBackwardF32(
            MemorySegment y, MemorySegment g, long outFrom, float alpha, MemorySegment gx, long inFrom, long count) {
        for (long i = 0; i < count; i += L) {
            FloatVector result = Lanes.load(y, outFrom + i);
            FloatVector gradient = Lanes.load(g, outFrom + i);
            Lanes.store(result.add(alpha).mul(gradient).blend(gradient, positive(result)), gx, inFrom + i);
        }
    }

    private static void sigmoidBackwardBf16(
            MemorySegment y, MemorySegment g, long outFrom, MemorySegment gx, long inFrom, long count) {
        FloatVector one = FloatVector.broadcast(FLOATS, 1f);
        for (long i = 0; i < count; i += L) {
            FloatVector result = Lanes.loadBf16(y, outFrom + i);
            Lanes.storeBf16(result.mul(one.sub(result)).mul(Lanes.loadBf16(g, outFrom + i)), gx, inFrom + i);
        }
    }

    private static void sigmoidBackwardF32(
            MemorySegment y, MemorySegment g, long outFrom, MemorySegment gx, long inFrom, long count) {
        FloatVector one = FloatVector.broadcast(FLOATS, 1f);
        for (long i = 0; i < count; i += L) {
            FloatVector result = Lanes.load(y, outFrom + i);
            Lanes.store(result.mul(one.sub(result)).mul(Lanes.load(g, outFrom + i)), gx, inFrom + i);
        }
    }

    private static void tanhBackwardBf16(
            MemorySegment y, MemorySegment g, long outFrom, MemorySegment gx, long inFrom, long count) {
        FloatVector one = FloatVector.broadcast(FLOATS, 1f);
        for (long i = 0; i < count; i += L) {
            FloatVector result = Lanes.loadBf16(y, outFrom + i);
            Lanes.storeBf16(one.sub(result.mul(result)).mul(Lanes.loadBf16(g, outFrom + i)), gx, inFrom + i);
        }
    }

    private static void tanhBackwardF32(
            MemorySegment y, MemorySegment g, long outFrom, MemorySegment gx, long inFrom, long count) {
        FloatVector one = FloatVector.broadcast(FLOATS, 1f);
        for (long i = 0; i < count; i += L) {
            FloatVector result = Lanes.load(y, outFrom + i);
            Lanes.store(one.sub(result.mul(result)).mul(Lanes.load(g, outFrom + i)), gx, inFrom + i);
        }
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
