package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;

/** Sums and products of tensors whose shapes broadcast; equal shapes, scalars and trailing [C] take fast paths. */
final class Broadcast {
    enum Operation {
        ADD,
        MULTIPLY
    }

    private final CpuBackend backend;
    private final ArithmeticLoops loops;

    Broadcast(CpuBackend backend) {
        this.backend = backend;
        loops = backend.arithmetic;
    }

    void run(Operation operation, Tensor a, Tensor b, Tensor out) {
        long count = out.elementCount();
        if (count == 0) {
            return;
        }
        if (a.elementCount() == count && b.elementCount() == count) {
            equal(operation, a, b, out);
        } else if (a.elementCount() == count && Reductions.isTrailing(out.shape(), b.shape())) {
            rows(operation, a, b, out);
        } else if (b.elementCount() == count && Reductions.isTrailing(out.shape(), a.shape())) {
            rows(operation, b, a, out);
        } else {
            general(operation, a, b, out);
        }
    }

    private void equal(Operation operation, Tensor a, Tensor b, Tensor out) {
        MemorySegment left = a.segment();
        MemorySegment right = b.segment();
        MemorySegment to = out.segment();
        boolean bf16 = out.dtype() == DType.BF16;
        backend.elementwise(
                out.elementCount(),
                operation == Operation.ADD
                        ? (first, last) -> loops.add(bf16, left, right, to, first, last)
                        : (first, last) -> loops.multiply(bf16, left, right, to, first, last));
    }

    private void rows(Operation operation, Tensor a, Tensor small, Tensor out) {
        MemorySegment left = a.segment();
        MemorySegment row = small.segment();
        MemorySegment to = out.segment();
        boolean bf16 = out.dtype() == DType.BF16;
        long columns = small.elementCount();
        if (columns == 1) {
            float value = Floats.get(bf16, row, 0);
            backend.elementwise(
                    out.elementCount(),
                    operation == Operation.ADD
                            ? (first, last) -> loops.shift(bf16, left, value, to, first, last)
                            : (first, last) -> loops.scale(bf16, left, value, to, first, last));
            return;
        }
        backend.parallel.range(
                out.elementCount() / columns,
                Math.max(1, CpuBackend.GRAIN / columns),
                operation == Operation.ADD
                        ? (first, last) -> loops.addRows(bf16, left, row, to, columns, first, last)
                        : (first, last) -> loops.multiplyRows(bf16, left, row, to, columns, first, last));
    }

    private void general(Operation operation, Tensor a, Tensor b, Tensor out) {
        int[] dims = out.shape().toArray();
        long[] strideA = strides(a.shape(), out.shape());
        long[] strideB = strides(b.shape(), out.shape());
        MemorySegment left = a.segment();
        MemorySegment right = b.segment();
        MemorySegment to = out.segment();
        boolean add = operation == Operation.ADD;
        boolean bf16 = out.dtype() == DType.BF16;
        backend.elementwise(out.elementCount(), (first, last) -> {
            for (long i = first; i < last; i++) {
                float x = Floats.get(bf16, left, offset(i, dims, strideA));
                float y = Floats.get(bf16, right, offset(i, dims, strideB));
                Floats.set(bf16, to, i, add ? x + y : x * y);
            }
        });
    }

    /** Strides of {@code small} over the dimensions of {@code large}: 0 where it is stretched. */
    static long[] strides(Shape small, Shape large) {
        long[] strides = new long[large.rank()];
        long stride = 1;
        for (int i = 1; i <= small.rank() && i <= large.rank(); i++) {
            int dim = small.dim(small.rank() - i);
            strides[large.rank() - i] = dim == 1 ? 0 : stride;
            stride *= dim;
        }
        return strides;
    }

    /** Offset, by the strides, of the element with row-major number {@code index}. */
    static long offset(long index, int[] dims, long[] strides) {
        long offset = 0;
        for (int i = dims.length - 1; i >= 0; i--) {
            offset += index % dims[i] * strides[i];
            index /= dims[i];
        }
        return offset;
    }
}
