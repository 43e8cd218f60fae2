package tenon.io.weights;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Type of an array's elements; every one can be read as floats. */
public enum ElementType {
    BOOL(1),
    U8(1),
    I8(1),
    I16(2),
    I32(4),
    I64(8),
    F16(2),
    BF16(2),
    F32(4),
    F64(8);

    private final int byteSize;

    ElementType(int byteSize) {
        this.byteSize = byteSize;
    }

    public int byteSize() {
        return byteSize;
    }

    /** Whether weights can be of this type; the others are counters and the like. */
    public boolean isFloating() {
        return this == F16 || this == BF16 || this == F32 || this == F64;
    }

    /** All elements as floats; those that no float is equal to are rounded. */
    public float[] toFloats(MemorySegment bytes, ByteOrder order) {
        float[] values = new float[Math.toIntExact(bytes.byteSize() / byteSize)];
        switch (this) {
            case F32 ->
                MemorySegment.copy(
                        bytes, ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(order), 0, values, 0, values.length);
            case F64 -> {
                ValueLayout.OfDouble element = ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(order);
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) bytes.get(element, 8L * i);
                }
            }
            case F16, BF16, I16 -> {
                ValueLayout.OfShort element = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(order);
                for (int i = 0; i < values.length; i++) {
                    short bits = bytes.get(element, 2L * i);
                    values[i] = this == F16
                            ? Float.float16ToFloat(bits)
                            : this == BF16 ? Float.intBitsToFloat(bits << 16) : bits;
                }
            }
            case I32 -> {
                ValueLayout.OfInt element = ValueLayout.JAVA_INT_UNALIGNED.withOrder(order);
                for (int i = 0; i < values.length; i++) {
                    values[i] = bytes.get(element, 4L * i);
                }
            }
            case I64 -> {
                ValueLayout.OfLong element = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(order);
                for (int i = 0; i < values.length; i++) {
                    values[i] = bytes.get(element, 8L * i);
                }
            }
            case BOOL, U8, I8 -> {
                for (int i = 0; i < values.length; i++) {
                    byte bits = bytes.get(ValueLayout.JAVA_BYTE, i);
                    values[i] = this == I8 ? bits : bits & 0xFF;
                }
            }
        }
        return values;
    }
}
