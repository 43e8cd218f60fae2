package tenon.benchmarks.libtorch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;
import tenon.engine.DType;
import tenon.engine.Shape;

/** Arrays to libtorch tensors and back. Images and filters are [N, H, W, C] in arrays and [N, C, H, W] in libtorch, in whichever memory format. */
public final class TorchTensors {
    private TorchTensors() {}

    /** Images [N, H, W, C] as a tensor [N, C, H, W]; filters likewise. */
    public static Tensor image(double[] values, ScalarType type, MemoryFormat format, int n, int h, int w, int c) {
        try (DoublePointer memory = new DoublePointer(values);
                Tensor borrowed = borrow(memory, n, h, w, c);
                Tensor logical = borrowed.permute(0, 3, 1, 2)) {
            return copy(logical, type, format);
        }
    }

    /** Filters of Tenon's, read as {@code shape} = [K, R, S, C], as a tensor [K, C, R, S]. */
    static Tensor image(tenon.engine.Tensor filters, ScalarType type, MemoryFormat format, Shape shape) {
        try (Arena arena = Arena.ofShared();
                Tensor borrowed = borrow(filters, arena, dims(shape));
                Tensor logical = borrowed.permute(0, 3, 1, 2)) {
            return copy(logical, type, format);
        }
    }

    /** The same dimensions on both sides. */
    static Tensor plain(tenon.engine.Tensor values, ScalarType type) {
        try (Arena arena = Arena.ofShared();
                Tensor borrowed = borrow(values, arena, dims(values.shape()))) {
            return copy(borrowed, type, MemoryFormat.Contiguous);
        }
    }

    private static long[] dims(Shape shape) {
        return Arrays.stream(shape.toArray()).asLongStream().toArray();
    }

    /** A copy of F32 or F64 contents in the arena's memory. */
    private static Tensor borrow(tenon.engine.Tensor tensor, Arena arena, long... dims) {
        MemorySegment memory = arena.allocate(tensor.byteSize(), 64);
        tensor.download(memory);
        Pointer start = new Pointer(memory.asByteBuffer());
        ScalarType type = tensor.dtype() == DType.F64 ? ScalarType.Double : ScalarType.Float;
        return torch.from_blob(start, dims, new TensorOptions(type));
    }

    /** Class indices [N]. */
    public static Tensor labels(int[] values) {
        try (IntPointer memory = new IntPointer(values);
                Tensor borrowed =
                        torch.from_blob(memory, new long[] {values.length}, new TensorOptions(ScalarType.Int))) {
            return borrowed.toType(ScalarType.Long);
        }
    }

    /** Elements in the logical order of the tensor. */
    public static double[] toArray(Tensor tensor) {
        try (Tensor detached = tensor.detach();
                Tensor doubles = detached.toType(ScalarType.Double);
                Tensor contiguous = doubles.contiguous();
                DoublePointer memory = new DoublePointer(contiguous.data_ptr_double())) {
            double[] values = new double[Math.toIntExact(tensor.numel())];
            memory.get(values);
            return values;
        }
    }

    /** A tensor [N, C, H, W] as an array [N, H, W, C]. */
    public static double[] toChannelsLastArray(Tensor tensor) {
        try (Tensor detached = tensor.detach();
                Tensor channelsLast = detached.permute(0, 2, 3, 1)) {
            return toArray(channelsLast);
        }
    }

    private static Tensor borrow(DoublePointer memory, long... dims) {
        return torch.from_blob(memory, dims, new TensorOptions(ScalarType.Double));
    }

    /**
     * A copy that owns its memory. With one channel both formats describe the same memory, and libtorch goes by the strides, which {@code clone} writes
     * as asked and {@code contiguous} would leave as they are.
     */
    private static Tensor copy(Tensor borrowed, ScalarType type, MemoryFormat format) {
        try (Tensor converted = borrowed.toType(type)) {
            return converted.clone(new MemoryFormatOptional(format));
        }
    }
}
