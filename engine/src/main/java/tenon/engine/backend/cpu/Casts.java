package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.Tensor;

/** Conversions to floating dtypes; between F32 and BF16 and from U8 to either on vectors, the rest element by element. */
final class Casts {
    private static final CastLoops LOOPS = CastLoops.best();

    private Casts() {}

    static void run(CpuBackend backend, Tensor from, Tensor to) {
        MemorySegment in = from.segment();
        MemorySegment out = to.segment();
        DType source = from.dtype();
        DType target = to.dtype();
        CastLoops loops = LOOPS;
        if (source == target) {
            backend.copy(from, to);
        } else if (target == DType.BF16 && source == DType.F32) {
            backend.elementwise(from.elementCount(), (first, last) -> loops.toBf16(in, out, first, last));
        } else if (target == DType.F32 && source == DType.BF16) {
            backend.elementwise(from.elementCount(), (first, last) -> loops.fromBf16(in, out, first, last));
        } else if (source == DType.U8 && target != DType.F64) {
            boolean bf16 = target == DType.BF16;
            backend.elementwise(from.elementCount(), (first, last) -> loops.fromBytes(bf16, in, out, first, last));
        } else if (target.isFloating()) {
            backend.elementwise(from.elementCount(), (first, last) -> {
                for (long i = first; i < last; i++) {
                    set(target, out, i, get(source, in, i));
                }
            });
        } else {
            throw new DTypeException("cast: the target must be floating: from=" + source + ", to=" + target);
        }
    }

    private static double get(DType dtype, MemorySegment segment, long i) {
        return switch (dtype) {
            case F32 -> Floats.get(segment, i);
            case F64 -> segment.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
            case BF16 -> DType.bf16ToFloat(segment.getAtIndex(ValueLayout.JAVA_SHORT, i));
            case U8 -> segment.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
            case I32 -> Floats.getInt(segment, i);
        };
    }

    private static void set(DType dtype, MemorySegment segment, long i, double value) {
        switch (dtype) {
            case F32 -> Floats.set(segment, i, (float) value);
            case F64 -> segment.setAtIndex(ValueLayout.JAVA_DOUBLE, i, value);
            case BF16 -> segment.setAtIndex(ValueLayout.JAVA_SHORT, i, DType.floatToBf16((float) value));
            case U8, I32 -> throw new IllegalArgumentException("not floating: " + dtype);
        }
    }
}
