package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import tenon.engine.ops.Activation;

/**
 * Activation functions over native memory, each on the elements (or rows) [from, to) or on {@code count} elements. All operands are BF16 or all are F32, slopes
 * are F32; the arithmetic is in F32. NaN gives NaN. These plain loops define the results, and {@link VectorActivationLoops} gives the same bits.
 *
 * <p>Gradients come from the forward <em>output</em>. Every output may be one of the inputs.
 */
class ActivationLoops {
    static ActivationLoops best() {
        return VectorApi.isUsed() ? new VectorActivationLoops() : new ActivationLoops();
    }

    /** out[outFrom + i] = activation(in[inFrom + i]) */
    void forward(
            Activation activation,
            boolean bf16,
            MemorySegment in,
            long inFrom,
            MemorySegment out,
            long outFrom,
            long count) {
        for (long i = 0; i < count; i++) {
            Floats.set(bf16, out, outFrom + i, value(activation, bf16, Floats.get(bf16, in, inFrom + i)));
        }
    }

    private static float value(Activation activation, boolean bf16, float x) {
        float alpha = activation.alpha();
        return switch (activation.kind()) {
            case NONE -> x;
            case RELU -> positive(x);
            case RELU6 -> clamp(x, 6);
            case LEAKY_RELU -> x > 0 ? x : alpha * x;
            case ELU -> x < 0 ? alpha * (bf16 ? Exponential.expm1ToBf16(x) : Exponential.expm1(x)) : x;
            case SIGMOID -> {
                // With the exponential of −|x|, so that nothing overflows.
                float e = Exponential.exp(-Math.abs(x));
                yield (x < 0 ? e : 1) / (1 + e);
            }
            case TANH -> {
                // m / (m + 2) with m = e^(2x) − 1.
                float m = Exponential.expm1(-2 * Math.abs(x));
                float y = m / (m + 2);
                yield x > 0 ? -y : y;
            }
        };
    }

    /** gradIn[inFrom + i] = gradOut[outFrom + i] · the activation's derivative where its result is output[outFrom + i]. */
    void backward(
            Activation activation,
            boolean bf16,
            MemorySegment output,
            MemorySegment gradOut,
            long outFrom,
            MemorySegment gradIn,
            long inFrom,
            long count) {
        for (long i = 0; i < count; i++) {
            float y = Floats.get(bf16, output, outFrom + i);
            float g = Floats.get(bf16, gradOut, outFrom + i);
            Floats.set(bf16, gradIn, inFrom + i, gradient(activation, y, g));
        }
    }

    private static float gradient(Activation activation, float y, float g) {
        float alpha = activation.alpha();
        return switch (activation.kind()) {
            case NONE -> g;
            case RELU -> y > 0 ? g : 0;
            case RELU6 -> isInside(y, 6) ? g : 0;
            case LEAKY_RELU -> y > 0 ? g : alpha * g;
            case ELU -> y > 0 ? g : (y + alpha) * g;
            case SIGMOID -> y * (1 - y) * g;
            case TANH -> (1 - y * y) * g;
        };
    }

    /** out = max(a + b, 0). */
    void addRelu(boolean bf16, MemorySegment a, MemorySegment b, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            Floats.set(bf16, out, i, positive(Floats.get(bf16, a, i) + Floats.get(bf16, b, i)));
        }
    }

    private static float positive(float x) {
        return x <= 0 ? 0 : x;
    }

    /** {@code x} in [0, ceiling], or NaN; else the nearer end. */
    static float clamp(float x, float ceiling) {
        float positive = positive(x);
        return positive > ceiling ? ceiling : positive;
    }

    /** Where the gradient of {@link #clamp} passes. */
    static boolean isInside(float x, float ceiling) {
        return x > 0 && x < ceiling;
    }

    /** Rows [from, to): out = in where in &gt; 0, else slope[c]·in. */
    void prelu(
            boolean bf16, MemorySegment in, MemorySegment slope, MemorySegment out, int columns, long from, long to) {
        for (long r = from; r < to; r++) {
            preluRow(bf16, in, slope, out, r * columns, 0, columns);
        }
    }

    /** Columns [from, to) of the row that begins at {@code start}. */
    final void preluRow(
            boolean bf16, MemorySegment in, MemorySegment slope, MemorySegment out, long start, int from, int to) {
        for (int c = from; c < to; c++) {
            float x = Floats.get(bf16, in, start + c);
            Floats.set(bf16, out, start + c, x > 0 ? x : Floats.get(slope, c) * x);
        }
    }

    /** Rows [from, to): gradIn = gradOut where in &gt; 0, else slope[c]·gradOut. */
    void preluBackward(
            boolean bf16,
            MemorySegment in,
            MemorySegment slope,
            MemorySegment gradOut,
            MemorySegment gradIn,
            int columns,
            long from,
            long to) {
        for (long r = from; r < to; r++) {
            preluBackwardRow(bf16, in, slope, gradOut, gradIn, r * columns, 0, columns);
        }
    }

    final void preluBackwardRow(
            boolean bf16,
            MemorySegment in,
            MemorySegment slope,
            MemorySegment gradOut,
            MemorySegment gradIn,
            long start,
            int from,
            int to) {
        for (int c = from; c < to; c++) {
            float g = Floats.get(bf16, gradOut, start + c);
            boolean positive = Floats.get(bf16, in, start + c) > 0;
            Floats.set(bf16, gradIn, start + c, positive ? g : Floats.get(slope, c) * g);
        }
    }

    /** Rows [from, to): adds the slopes' gradient, in·gradOut where in is not above 0, to {@code sums}[0, columns). */
    void preluSlopes(
            boolean bf16, MemorySegment in, MemorySegment gradOut, float[] sums, int columns, long from, long to) {
        for (long r = from; r < to; r++) {
            preluSlopesRow(bf16, in, gradOut, sums, r * columns, 0, columns);
        }
    }

    final void preluSlopesRow(
            boolean bf16, MemorySegment in, MemorySegment gradOut, float[] sums, long start, int from, int to) {
        for (int c = from; c < to; c++) {
            float x = Floats.get(bf16, in, start + c);
            sums[c] += x > 0 ? 0 : x * Floats.get(bf16, gradOut, start + c);
        }
    }
}
