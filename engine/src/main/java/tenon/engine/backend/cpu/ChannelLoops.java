package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import tenon.engine.ops.Activation;

/**
 * Copies between a channel range of a wide matrix and a narrow one, with an activation on the way, on rows [from, to). These plain loops define the results, and
 * {@link VectorChannelLoops} gives the same bits.
 */
class ChannelLoops {
    static ChannelLoops best() {
        return VectorApi.isUsed() ? new VectorChannelLoops() : new ChannelLoops();
    }

    /** Copies {@code count} bytes of each row; strides between rows and offsets in them are in bytes too. */
    void copy(
            MemorySegment in,
            long inStride,
            long inOffset,
            MemorySegment out,
            long outStride,
            long outOffset,
            long count,
            long from,
            long to) {
        for (long r = from; r < to; r++) {
            MemorySegment.copy(in, r * inStride + inOffset, out, r * outStride + outOffset, count);
        }
    }

    /** wide[r, offset + c] = activation(narrow[r, c]), NaN kept; widths and offset are in elements. */
    void activate(
            boolean bf16,
            Activation activation,
            MemorySegment narrow,
            int columns,
            MemorySegment wide,
            long wideColumns,
            long offset,
            long from,
            long to) {
        for (long r = from; r < to; r++) {
            for (int c = 0; c < columns; c++) {
                float y = value(activation, Floats.get(bf16, narrow, r * columns + c));
                Floats.set(bf16, wide, r * wideColumns + offset + c, y);
            }
        }
    }

    private static float value(Activation activation, float x) {
        return switch (activation.kind()) {
            case NONE -> x;
            case RELU -> x <= 0 ? 0 : x;
            case RELU6 -> x <= 0 ? 0 : x > 6 ? 6 : x;
            case LEAKY_RELU -> x > 0 ? x : activation.alpha() * x;
            case ELU -> x > 0 ? x : activation.alpha() * Exponential.expm1(x);
            case SIGMOID -> (float) (1 / (1 + Math.exp(-x)));
            case TANH -> (float) Math.tanh(x);
        };
    }

    /** gradNarrow[r, c] = gradWide[r, offset + c] · the activation's derivative where its result is wide[r, offset + c]. */
    void gradient(
            boolean bf16,
            Activation activation,
            MemorySegment wide,
            MemorySegment gradWide,
            long wideColumns,
            long offset,
            MemorySegment gradNarrow,
            int columns,
            long from,
            long to) {
        for (long r = from; r < to; r++) {
            for (int c = 0; c < columns; c++) {
                long at = r * wideColumns + offset + c;
                float g = gradient(activation, Floats.get(bf16, wide, at), Floats.get(bf16, gradWide, at));
                Floats.set(bf16, gradNarrow, r * columns + c, g);
            }
        }
    }

    private static float gradient(Activation activation, float y, float g) {
        float alpha = activation.alpha();
        return switch (activation.kind()) {
            case NONE -> g;
            case RELU -> y > 0 ? g : 0;
            case RELU6 -> y > 0 && y < 6 ? g : 0;
            case LEAKY_RELU -> y > 0 ? g : g * alpha;
            case ELU -> y > 0 ? g : g * (y + alpha);
            case SIGMOID -> g * (y * (1 - y));
            case TANH -> g * (1 - y * y);
        };
    }
}
