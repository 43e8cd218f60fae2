package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;

/**
 * Activation functions over native memory, each on the elements (or rows) [from, to). All operands are BF16 or all are F32, slopes are F32; the arithmetic is
 * in F32. NaN gives NaN. These plain loops define the results, and {@link VectorActivationLoops} gives the same bits.
 *
 * <p>Gradients come from the forward <em>output</em>. Every output may be one of the inputs.
 */
class ActivationLoops {
    static ActivationLoops best() {
        return VectorApi.isUsed() ? new VectorActivationLoops() : new ActivationLoops();
    }

    /** out = max(in, 0). */
    void relu(boolean bf16, MemorySegment in, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            Floats.set(bf16, out, i, positive(Floats.get(bf16, in, i)));
        }
    }

    /** gradIn = gradOut where output &gt; 0, else 0. */
    void reluBackward(
            boolean bf16, MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        for (long i = from; i < to; i++) {
            Floats.set(bf16, gradIn, i, Floats.get(bf16, output, i) > 0 ? Floats.get(bf16, gradOut, i) : 0);
        }
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

    /** out = min(max(in, 0), 6). */
    void relu6(boolean bf16, MemorySegment in, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            Floats.set(bf16, out, i, clamp(Floats.get(bf16, in, i), 6));
        }
    }

    /** gradIn = gradOut where 0 &lt; output &lt; 6, else 0. */
    void relu6Backward(
            boolean bf16, MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        for (long i = from; i < to; i++) {
            boolean inside = isInside(Floats.get(bf16, output, i), 6);
            Floats.set(bf16, gradIn, i, inside ? Floats.get(bf16, gradOut, i) : 0);
        }
    }

    /** out = in where in &gt; 0, else slope·in. */
    void leakyRelu(boolean bf16, MemorySegment in, float slope, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            float x = Floats.get(bf16, in, i);
            Floats.set(bf16, out, i, x > 0 ? x : slope * x);
        }
    }

    /** gradIn = gradOut where output &gt; 0, else slope·gradOut. */
    void leakyReluBackward(
            boolean bf16,
            MemorySegment output,
            MemorySegment gradOut,
            float slope,
            MemorySegment gradIn,
            long from,
            long to) {
        for (long i = from; i < to; i++) {
            float g = Floats.get(bf16, gradOut, i);
            Floats.set(bf16, gradIn, i, Floats.get(bf16, output, i) > 0 ? g : slope * g);
        }
    }

    /** out = in where in &gt; 0, else alpha·(e^in − 1). */
    void elu(boolean bf16, MemorySegment in, float alpha, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            float x = Floats.get(bf16, in, i);
            Floats.set(bf16, out, i, x > 0 ? x : alpha * Exponential.expm1(x));
        }
    }

    /** gradIn = gradOut where output &gt; 0, else (output + alpha)·gradOut. */
    void eluBackward(
            boolean bf16,
            MemorySegment output,
            MemorySegment gradOut,
            float alpha,
            MemorySegment gradIn,
            long from,
            long to) {
        for (long i = from; i < to; i++) {
            float y = Floats.get(bf16, output, i);
            float g = Floats.get(bf16, gradOut, i);
            Floats.set(bf16, gradIn, i, y > 0 ? g : (y + alpha) * g);
        }
    }

    /** out = 1 / (1 + e^−in). */
    void sigmoid(boolean bf16, MemorySegment in, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            float x = Floats.get(bf16, in, i);
            // With the exponential of −|x|, so that nothing overflows.
            float e = Exponential.exp(-Math.abs(x));
            Floats.set(bf16, out, i, (x < 0 ? e : 1) / (1 + e));
        }
    }

    /** gradIn = output·(1 − output)·gradOut. */
    void sigmoidBackward(
            boolean bf16, MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        for (long i = from; i < to; i++) {
            float y = Floats.get(bf16, output, i);
            Floats.set(bf16, gradIn, i, y * (1 - y) * Floats.get(bf16, gradOut, i));
        }
    }

    /** out = tanh(in), as m / (m + 2) with m = e^(2·in) − 1. */
    void tanh(boolean bf16, MemorySegment in, MemorySegment out, long from, long to) {
        for (long i = from; i < to; i++) {
            float x = Floats.get(bf16, in, i);
            float m = Exponential.expm1(-2 * Math.abs(x));
            float y = m / (m + 2);
            Floats.set(bf16, out, i, x > 0 ? -y : y);
        }
    }

    /** gradIn = (1 − output²)·gradOut. */
    void tanhBackward(
            boolean bf16, MemorySegment output, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        for (long i = from; i < to; i++) {
            float y = Floats.get(bf16, output, i);
            Floats.set(bf16, gradIn, i, (1 - y * y) * Floats.get(bf16, gradOut, i));
        }
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
