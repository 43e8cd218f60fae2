package tenon.engine;

import java.lang.foreign.ValueLayout;

/** Element type of a tensor. */
public enum DType {
    /** IEEE binary32. */
    F32(4, ValueLayout.JAVA_FLOAT, true),
    /** IEEE binary64; reference back-end only, where it checks gradients. */
    F64(8, ValueLayout.JAVA_DOUBLE, true),
    /** bfloat16: the upper half of a binary32; compute type of the {@code bf16} precision. */
    BF16(2, ValueLayout.JAVA_SHORT, true),
    /** Unsigned byte: image samples. */
    U8(1, ValueLayout.JAVA_BYTE, false),
    /** Signed 32-bit integer: class indices. */
    I32(4, ValueLayout.JAVA_INT, false);

    private final int byteSize;
    private final ValueLayout layout;
    private final boolean floating;

    DType(int byteSize, ValueLayout layout, boolean floating) {
        this.byteSize = byteSize;
        this.layout = layout;
        this.floating = floating;
    }

    /** Bytes of one element. */
    public int byteSize() {
        return byteSize;
    }

    /** Memory layout of one element; a BF16 element is the raw {@code short}. */
    public ValueLayout layout() {
        return layout;
    }

    public boolean isFloating() {
        return floating;
    }

    /** Converts bfloat16 bits to the float they stand for (exact). */
    public static float bf16ToFloat(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** Rounds a float to bfloat16, to nearest even; NaN stays NaN (quiet). */
    public static short floatToBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) ((bits >>> 16) | 0x40);
        }
        return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
    }
}
