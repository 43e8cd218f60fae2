package tenon.engine.backend.reference;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import tenon.engine.DType;
import tenon.engine.Tensor;

/** A tensor's elements, read and written as doubles by their row-major index. */
record Elements(MemorySegment segment, DType dtype) {
    static Elements of(Tensor tensor) {
        return new Elements(tensor.segment(), tensor.dtype());
    }

    /**
     * A copy of a tensor's elements, for loops that read each many times: reading an array costs the same whatever other kinds of memory the
     * process has read before.
     */
    static double[] values(Tensor tensor) {
        Elements elements = of(tensor);
        double[] values = new double[Math.toIntExact(tensor.elementCount())];
        for (int i = 0; i < values.length; i++) {
            values[i] = elements.get(i);
        }
        return values;
    }

    /** A weight as a layer multiplies it: rounded to BF16 where the activations are BF16. */
    static double[] weight(Tensor weight, Tensor activation) {
        double[] values = values(weight);
        if (activation.dtype() == DType.BF16) {
            for (int i = 0; i < values.length; i++) {
                values[i] = DType.bf16ToFloat(DType.floatToBf16((float) values[i]));
            }
        }
        return values;
    }

    double get(long i) {
        return switch (dtype) {
            case F32 -> segment.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            case F64 -> segment.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
            case BF16 -> DType.bf16ToFloat(segment.getAtIndex(ValueLayout.JAVA_SHORT, i));
            case U8 -> segment.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
            case I32 -> segment.getAtIndex(ValueLayout.JAVA_INT, i);
        };
    }

    int getInt(long i) {
        return segment.getAtIndex(ValueLayout.JAVA_INT, i);
    }

    void set(long i, double value) {
        switch (dtype) {
            case F32 -> segment.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
            case F64 -> segment.setAtIndex(ValueLayout.JAVA_DOUBLE, i, value);
            case BF16 -> segment.setAtIndex(ValueLayout.JAVA_SHORT, i, DType.floatToBf16((float) value));
            case U8 -> segment.set(ValueLayout.JAVA_BYTE, i, (byte) (int) value);
            case I32 -> segment.setAtIndex(ValueLayout.JAVA_INT, i, (int) value);
        }
    }
}
