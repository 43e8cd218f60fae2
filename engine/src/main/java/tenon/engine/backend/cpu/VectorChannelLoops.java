package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.L;
import static tenon.engine.backend.cpu.Lanes.load;
import static tenon.engine.backend.cpu.Lanes.store;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import tenon.engine.ops.Activation;

/**
 * {@link ChannelLoops} with the Vector API, except for rows shorter than a vector and rare activations. The last vector of a row overlaps the one before where the
 * row is no whole number of vectors.
 */
final class VectorChannelLoops extends ChannelLoops {
    private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_PREFERRED;
    private static final int BYTE_LANES = BYTES.length();
    private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

    @Override
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
        if (count < BYTE_LANES) {
            super.copy(in, inStride, inOffset, out, outStride, outOffset, count, from, to);
            return;
        }
        for (long r = from; r < to; r++) {
            copyRow(in, r * inStride + inOffset, out, r * outStride + outOffset, count - BYTE_LANES);
        }
    }

    private static void copyRow(MemorySegment in, long source, MemorySegment out, long target, long last) {
        for (long i = 0; i < last; i += BYTE_LANES) {
            ByteVector.fromMemorySegment(BYTES, in, source + i, NATIVE).intoMemorySegment(out, target + i, NATIVE);
        }
        ByteVector.fromMemorySegment(BYTES, in, source + last, NATIVE).intoMemorySegment(out, target + last, NATIVE);
    }

    @Override
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
        Activation.Kind kind = activation.kind();
        int last = columns - L;
        if (last < 0 || !isFast(kind)) {
            super.activate(bf16, activation, narrow, columns, wide, wideColumns, offset, from, to);
            return;
        }
        float alpha = activation.alpha();
        for (long r = from; r < to; r++) {
            long source = r * columns;
            long target = r * wideColumns + offset;
            switch (kind) {
                case RELU -> relu(bf16, narrow, source, wide, target, last);
                case LEAKY_RELU -> leakyRelu(bf16, narrow, source, alpha, wide, target, last);
                default -> elu(bf16, narrow, source, alpha, wide, target, last);
            }
        }
    }

    private static boolean isFast(Activation.Kind kind) {
        return kind == Activation.Kind.RELU || kind == Activation.Kind.LEAKY_RELU || kind == Activation.Kind.ELU;
    }

    private static void relu(boolean bf16, MemorySegment in, long source, MemorySegment out, long target, int last) {
        for (int i = 0; i < last + L; i += L) {
            int c = Math.min(i, last);
            store(bf16, Lanes.relu(load(bf16, in, source + c)), out, target + c);
        }
    }

    private static void leakyRelu(
            boolean bf16, MemorySegment in, long source, float alpha, MemorySegment out, long target, int last) {
        for (int i = 0; i < last + L; i += L) {
            int c = Math.min(i, last);
            FloatVector x = load(bf16, in, source + c);
            store(bf16, x.mul(alpha).blend(x, x.compare(VectorOperators.GT, 0f)), out, target + c);
        }
    }

    private static void elu(
            boolean bf16, MemorySegment in, long source, float alpha, MemorySegment out, long target, int last) {
        for (int i = 0; i < last + L; i += L) {
            int c = Math.min(i, last);
            FloatVector x = load(bf16, in, source + c);
            FloatVector below = VectorExponential.expm1(x).mul(alpha);
            store(bf16, below.blend(x, x.compare(VectorOperators.GT, 0f)), out, target + c);
        }
    }

    @Override
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
        Activation.Kind kind = activation.kind();
        int last = columns - L;
        if (last < 0 || !isFast(kind)) {
            super.gradient(bf16, activation, wide, gradWide, wideColumns, offset, gradNarrow, columns, from, to);
            return;
        }
        float alpha = activation.alpha();
        for (long r = from; r < to; r++) {
            long source = r * wideColumns + offset;
            long target = r * columns;
            switch (kind) {
                case RELU -> reluGradient(bf16, wide, gradWide, source, gradNarrow, target, last);
                case LEAKY_RELU -> leakyReluGradient(bf16, wide, gradWide, source, alpha, gradNarrow, target, last);
                default -> eluGradient(bf16, wide, gradWide, source, alpha, gradNarrow, target, last);
            }
        }
    }

    private static void reluGradient(
            boolean bf16, MemorySegment y, MemorySegment g, long source, MemorySegment gx, long target, int last) {
        for (int i = 0; i < last + L; i += L) {
            int c = Math.min(i, last);
            store(bf16, Lanes.where(load(bf16, y, source + c), load(bf16, g, source + c)), gx, target + c);
        }
    }

    private static void leakyReluGradient(
            boolean bf16,
            MemorySegment y,
            MemorySegment g,
            long source,
            float alpha,
            MemorySegment gx,
            long target,
            int last) {
        for (int i = 0; i < last + L; i += L) {
            int c = Math.min(i, last);
            FloatVector gradient = load(bf16, g, source + c);
            FloatVector below = gradient.mul(alpha);
            store(
                    bf16,
                    below.blend(gradient, load(bf16, y, source + c).compare(VectorOperators.GT, 0f)),
                    gx,
                    target + c);
        }
    }

    private static void eluGradient(
            boolean bf16,
            MemorySegment y,
            MemorySegment g,
            long source,
            float alpha,
            MemorySegment gx,
            long target,
            int last) {
        for (int i = 0; i < last + L; i += L) {
            int c = Math.min(i, last);
            FloatVector result = load(bf16, y, source + c);
            FloatVector gradient = load(bf16, g, source + c);
            FloatVector below = gradient.mul(result.add(alpha));
            store(bf16, below.blend(gradient, result.compare(VectorOperators.GT, 0f)), gx, target + c);
        }
    }
}
