package tenon.engine.testing;

import java.lang.foreign.MemorySegment;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;

/** Tensors from doubles, whatever their dtype. */
public final class Tensors {
    private Tensors() {}

    public static Tensor of(DType dtype, Shape shape, double... values) {
        Tensor tensor = Tensor.empty(shape, dtype);
        upload(tensor, values);
        return tensor;
    }

    /** A leaf that requires a gradient, F32. */
    public static Tensor leaf(double[] values, int... dims) {
        return of(DType.F32, Shape.of(dims), values).requireGrad(true);
    }

    public static void upload(Tensor tensor, double... values) {
        int n = values.length;
        switch (tensor.dtype()) {
            case F64 -> tensor.upload(MemorySegment.ofArray(values));
            case F32 -> {
                float[] floats = new float[n];
                for (int i = 0; i < n; i++) {
                    floats[i] = (float) values[i];
                }
                tensor.upload(MemorySegment.ofArray(floats));
            }
            case BF16 -> {
                short[] shorts = new short[n];
                for (int i = 0; i < n; i++) {
                    shorts[i] = DType.floatToBf16((float) values[i]);
                }
                tensor.upload(MemorySegment.ofArray(shorts));
            }
            case I32 -> {
                int[] ints = new int[n];
                for (int i = 0; i < n; i++) {
                    ints[i] = (int) values[i];
                }
                tensor.upload(MemorySegment.ofArray(ints));
            }
            case U8 -> {
                byte[] bytes = new byte[n];
                for (int i = 0; i < n; i++) {
                    bytes[i] = (byte) (int) values[i];
                }
                tensor.upload(MemorySegment.ofArray(bytes));
            }
        }
    }
}
