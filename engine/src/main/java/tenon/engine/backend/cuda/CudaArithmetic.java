package tenon.engine.backend.cuda;

import static tenon.engine.backend.cuda.Vectors.in;
import static tenon.engine.backend.cuda.Vectors.out;
import static tenon.engine.backend.cuda.Vectors.threads;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Locale;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.OpKind;

/** Elementwise arithmetic, sums, casts and fills, by own kernels. */
final class CudaArithmetic {
    private static final String FILE = "arithmetic";

    /** The kernels of a sum or a product. */
    private record Operation(KernelPair equal, KernelPair rows, KernelPair broadcast) {
        static Operation of(CudaBackend backend, String name) {
            return new Operation(
                    new KernelPair(backend, FILE, name),
                    new KernelPair(backend, FILE, name + "_rows"),
                    new KernelPair(backend, FILE, name + "_broadcast"));
        }
    }

    private final CudaBackend backend;
    private final CudaReductions reductions;
    private final Operation add;
    private final Operation multiply;
    private final KernelPair scale;
    private final KernelPair findNonFinite;
    private final Kernel[] casts = new Kernel[DType.values().length * DType.values().length];
    private Kernel fill;

    CudaArithmetic(CudaBackend backend) {
        this.backend = backend;
        reductions = new CudaReductions(backend);
        add = Operation.of(backend, "add");
        multiply = Operation.of(backend, "multiply");
        scale = new KernelPair(backend, FILE, "scale");
        findNonFinite = new KernelPair(backend, FILE, "find_non_finite");
    }

    boolean supports(OpKind op, DType dtype) {
        return dtype == DType.F32 || dtype == DType.BF16;
    }

    CudaReductions reductions() {
        return reductions;
    }

    // ---- casts and fills ----

    void cast(Tensor from, Tensor to) {
        DType source = from.dtype();
        DType target = to.dtype();
        if (!target.isFloating()) {
            throw new DTypeException("cast: the target must be floating: from=" + source + ", to=" + target);
        }
        if (source == target) {
            backend.copy(from, to);
            return;
        }
        cast(source, in(from), target, out(to), from.elementCount());
    }

    private void cast(DType source, long from, DType target, long to, long count) {
        if (source == DType.F64 || target == DType.F64) {
            throw new DTypeException(TenonException.where("cast") + ": " + backend.whyNo(DType.F64) + ": from=" + source
                    + ", to=" + target);
        }
        int index = source.ordinal() * DType.values().length + target.ordinal();
        if (casts[index] == null) {
            casts[index] = backend.kernels.get(FILE, "cast_" + suffix(source) + "_" + suffix(target));
        }
        DType wider = source.byteSize() > target.byteSize() ? source : target;
        backend.launch(casts[index]).address(from).address(to).int64(count).elements(threads(count, wider));
    }

    private static String suffix(DType dtype) {
        return dtype.name().toLowerCase(Locale.ROOT);
    }

    /** {@link #cast} from F32 to BF16 between addresses. */
    void roundToBf16(long from, long to, long count) {
        cast(DType.F32, from, DType.BF16, to, count);
    }

    void fill(Tensor tensor, double value) {
        long pattern = switch (tensor.dtype()) {
            case F32 -> twice(Float.floatToRawIntBits((float) value));
            case I32 -> twice((int) value);
            case BF16 -> (DType.floatToBf16((float) value) & 0xFFFFL) * 0x0001_0001_0001_0001L;
            case U8 -> ((int) value & 0xFFL) * 0x0101_0101_0101_0101L;
            case F64 -> Double.doubleToRawLongBits(value);
        };
        fill(out(tensor), pattern, tensor.byteSize());
    }

    private static long twice(int bits) {
        return (bits & 0xFFFFFFFFL) * 0x0000_0001_0000_0001L;
    }

    /** Fills memory with a pattern of eight bytes. */
    void fill(long address, long pattern, long byteSize) {
        if (fill == null) {
            fill = backend.kernels.get(FILE, "fill");
        }
        backend.launch(fill)
                .address(address)
                .int64(pattern)
                .int64(byteSize)
                .elements((byteSize + Vectors.BYTES - 1) / Vectors.BYTES);
    }

    /** Waits for the device. */
    boolean isFinite(Tensor tensor) {
        backend.checkDType("is_finite", tensor);
        long count = tensor.elementCount();
        if (count == 0) {
            return true;
        }
        synchronized (backend.lock) {
            long flag = backend.scratch.get(Integer.BYTES);
            fill(flag, 0, Integer.BYTES);
            backend.launch(findNonFinite.of(tensor.dtype()))
                    .address(in(tensor))
                    .address(flag)
                    .int64(count)
                    .elements(threads(count, tensor.dtype()));
            return readInt(flag) == 0;
        }
    }

    /** Waits for the device, and reads an int from it. */
    int readInt(long address) {
        MemorySegment host = MemorySegment.ofArray(new int[1]);
        backend.hostCopies.download(address, host);
        return host.get(ValueLayout.JAVA_INT, 0);
    }

    /** The same of a long. */
    long readLong(long address) {
        MemorySegment host = MemorySegment.ofArray(new long[1]);
        backend.hostCopies.download(address, host);
        return host.get(ValueLayout.JAVA_LONG, 0);
    }

    // ---- sums and products ----

    void add(Tensor a, Tensor b, Tensor out) {
        backend.checkDType("add", a, b, out);
        run(add, a, b, out);
    }

    void multiply(Tensor a, Tensor b, Tensor out) {
        backend.checkDType("multiply", a, b, out);
        run(multiply, a, b, out);
    }

    private void run(Operation operation, Tensor a, Tensor b, Tensor out) {
        long count = out.elementCount();
        if (count == 0) {
            return;
        }
        if (a.elementCount() == count && b.elementCount() == count) {
            backend.launch(operation.equal.of(out.dtype()))
                    .address(in(a))
                    .address(in(b))
                    .address(out(out))
                    .int64(count)
                    .elements(threads(count, out.dtype()));
            return;
        }
        Dimensions dimensions = Dimensions.of(out.shape(), a.shape(), b.shape());
        if (dimensions.isWhole(0) && isRow(dimensions, 1)) {
            rows(operation, a, b, out);
        } else if (dimensions.isWhole(1) && isRow(dimensions, 0)) {
            rows(operation, b, a, out);
        } else {
            broadcast(operation, a, b, out, dimensions);
        }
    }

    /** Whether an operand is one row, repeated, or one number. */
    private static boolean isRow(Dimensions dimensions, int operand) {
        return switch (dimensions.count()) {
            case 1 -> true;
            case 2 -> dimensions.isStretched(operand, 1) && dimensions.size(0) <= Integer.MAX_VALUE;
            default -> false;
        };
    }

    private void rows(Operation operation, Tensor a, Tensor row, Tensor out) {
        long count = out.elementCount();
        backend.launch(operation.rows.of(out.dtype()))
                .address(in(a))
                .address(in(row))
                .address(out(out))
                .int32((int) row.elementCount())
                .int64(count)
                .elements(threads(count, out.dtype()));
    }

    private void broadcast(Operation operation, Tensor a, Tensor b, Tensor out, Dimensions dimensions) {
        long count = out.elementCount();
        Launch launch = backend.launch(operation.broadcast.of(out.dtype()))
                .address(in(a))
                .address(in(b))
                .address(out(out))
                .int64(count);
        for (int d = 0; d < Dimensions.MOST; d++) {
            launch.int64(dimensions.size(d));
        }
        for (int operand = 0; operand < 2; operand++) {
            for (int d = 0; d < Dimensions.MOST; d++) {
                launch.int64(dimensions.stride(operand, d));
            }
        }
        launch.elements(count);
    }

    void scale(Tensor in, double factor, Tensor out) {
        backend.checkDType("scale", in, out);
        long count = in.elementCount();
        backend.launch(scale.of(in.dtype()))
                .address(in(in))
                .float32((float) factor)
                .address(out(out))
                .int64(count)
                .elements(threads(count, in.dtype()));
    }

    void sumTo(Tensor in, Tensor out) {
        backend.checkDType("sum", in, out);
        reductions.sumTo(in, out);
    }
}
