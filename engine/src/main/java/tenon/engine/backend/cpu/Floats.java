package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import tenon.engine.DType;

/** Single F32, BF16 and I32 elements of native memory. */
final class Floats {
    private Floats() {}

    static float get(MemorySegment segment, long index) {
        return segment.getAtIndex(ValueLayout.JAVA_FLOAT, index);
    }

    static void set(MemorySegment segment, long index, float value) {
        segment.setAtIndex(ValueLayout.JAVA_FLOAT, index, value);
    }

    /** An element of BF16 memory if {@code bf16}, else of F32 memory. */
    static float get(boolean bf16, MemorySegment segment, long index) {
        return bf16
                ? DType.bf16ToFloat(segment.getAtIndex(ValueLayout.JAVA_SHORT, index))
                : segment.getAtIndex(ValueLayout.JAVA_FLOAT, index);
    }

    /** Rounds to nearest even for BF16. */
    static void set(boolean bf16, MemorySegment segment, long index, float value) {
        if (bf16) {
            segment.setAtIndex(ValueLayout.JAVA_SHORT, index, DType.floatToBf16(value));
        } else {
            segment.setAtIndex(ValueLayout.JAVA_FLOAT, index, value);
        }
    }

    static int getInt(MemorySegment segment, long index) {
        return segment.getAtIndex(ValueLayout.JAVA_INT, index);
    }

    static void setInt(MemorySegment segment, long index, int value) {
        segment.setAtIndex(ValueLayout.JAVA_INT, index, value);
    }
}
