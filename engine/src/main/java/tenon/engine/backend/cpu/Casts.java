package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.Tensor;

/** Conversions to F32 and BF16. */
final class Casts {
    private Casts() {}

    static void run(CpuBackend backend, Tensor from, Tensor to) {
        MemorySegment in = from.segment();
        MemorySegment out = to.segment();
        FloatKernels kernels = backend.kernels;
        Parallel.Range body;
        if (from.dtype() == to.dtype()) {
            backend.copy(from, to);
            return;
        } else if (to.dtype() == DType.BF16 && from.dtype() == DType.F32) {
            body = (first, last) -> kernels.toBf16(in, out, first, last);
        } else if (to.dtype() == DType.F32 && from.dtype() == DType.BF16) {
            body = (first, last) -> kernels.fromBf16(in, out, first, last);
        } else if (isInteger(from.dtype()) && (to.dtype() == DType.F32 || to.dtype() == DType.BF16)) {
            body = (first, last) -> integers(from.dtype(), in, to.dtype(), out, first, last);
        } else {
            throw new DTypeException(
                    "cast: the cpu back-end converts between F32 and BF16, and U8 and I32 to these: from="
                            + from.dtype() + ", to=" + to.dtype());
        }
        backend.elementwise(from.elementCount(), body);
    }

    private static boolean isInteger(DType dtype) {
        return dtype == DType.U8 || dtype == DType.I32;
    }

    private static void integers(DType from, MemorySegment in, DType to, MemorySegment out, long first, long last) {
        for (long i = first; i < last; i++) {
            float value = from == DType.U8 ? in.get(ValueLayout.JAVA_BYTE, i) & 0xFF : Floats.getInt(in, i);
            if (to == DType.F32) {
                Floats.set(out, i, value);
            } else {
                out.setAtIndex(ValueLayout.JAVA_SHORT, i, DType.floatToBf16(value));
            }
        }
    }
}
