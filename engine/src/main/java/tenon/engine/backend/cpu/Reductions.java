package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;

/** Sums, accumulated in F64 in an order that depends on the shapes alone. */
final class Reductions {
    private static final long MANY_COLUMNS = 4096;

    /** A term summed over [from, to). */
    @FunctionalInterface
    interface Term {
        double sum(long from, long to);
    }

    private final CpuBackend backend;
    private final ReductionLoops loops = ReductionLoops.best();

    Reductions(CpuBackend backend) {
        this.backend = backend;
    }

    /** Whether no element is NaN or infinite. */
    boolean isFinite(Tensor tensor) {
        MemorySegment in = tensor.segment();
        boolean bf16 = tensor.dtype() == DType.BF16;
        return sum(tensor.elementCount(), (from, to) -> loops.isFinite(bf16, in, from, to) ? 0 : 1) == 0;
    }

    /** Sum of a term over [0, count). */
    double sum(long count, Term term) {
        int stripes = Partials.stripes(count);
        synchronized (backend.partials) {
            double[] sums = backend.partials.get(stripes);
            backend.parallel.parts(
                    stripes,
                    stripe -> sums[stripe] = term.sum(count * stripe / stripes, count * (stripe + 1) / stripes));
            double total = 0;
            for (int stripe = 0; stripe < stripes; stripe++) {
                total += sums[stripe];
            }
            return total;
        }
    }

    /** See {@link tenon.engine.backend.Backend#sumTo}. */
    void sumTo(Tensor in, Tensor out) {
        MemorySegment from = in.segment();
        MemorySegment to = out.segment();
        long count = in.elementCount();
        boolean bf16 = in.dtype() == DType.BF16;
        if (count == 0) {
            backend.fill(out, 0);
        } else if (out.elementCount() == count) {
            backend.copyBytes(from, to);
        } else if (out.elementCount() == 1) {
            Floats.set(bf16, to, 0, (float) sum(count, (first, last) -> loops.sum(bf16, from, first, last)));
        } else if (isTrailing(in.shape(), out.shape())) {
            columnSums(bf16, from, Math.toIntExact(out.elementCount()), count / out.elementCount(), bf16, to);
        } else if (isLeading(in.shape(), out.shape())) {
            long width = count / out.elementCount();
            backend.parallel.range(out.elementCount(), Math.max(1, CpuBackend.GRAIN / width), (first, last) -> {
                for (long r = first; r < last; r++) {
                    Floats.set(bf16, to, r, (float) loops.sum(bf16, from, r * width, (r + 1) * width));
                }
            });
        } else {
            general(in, out);
        }
    }

    /** Sums of the columns of a row-major matrix, in F64; both are BF16 or F32. */
    void columnSums(boolean bf16, MemorySegment from, int columns, long rows, boolean bf16Sums, MemorySegment to) {
        int stripes = columns > MANY_COLUMNS ? 1 : Partials.stripes(rows);
        synchronized (backend.partials) {
            double[] sums = backend.partials.get(columns * stripes);
            backend.parallel.parts(
                    stripes,
                    stripe -> loops.columnSums(
                            bf16,
                            from,
                            columns,
                            rows * stripe / stripes,
                            rows * (stripe + 1) / stripes,
                            sums,
                            stripe * columns));
            for (int c = 0; c < columns; c++) {
                double total = 0;
                for (int stripe = 0; stripe < stripes; stripe++) {
                    total += sums[stripe * columns + c];
                }
                Floats.set(bf16Sums, to, c, (float) total);
            }
        }
    }

    /** Whether {@code out}, without leading ones, is the tail of {@code in}: only outer dimensions are summed. */
    static boolean isTrailing(Shape in, Shape out) {
        int rank = out.rank();
        int first = 0;
        while (first < rank && out.dim(first) == 1) {
            first++;
        }
        if (rank - first > in.rank()) {
            return false;
        }
        for (int i = 1; i <= rank - first; i++) {
            if (in.dim(in.rank() - i) != out.dim(rank - i)) {
                return false;
            }
        }
        return true;
    }

    /** Whether {@code out} is the head of {@code in} followed by ones: only inner dimensions are summed. */
    private static boolean isLeading(Shape in, Shape out) {
        if (in.rank() != out.rank()) {
            return false;
        }
        int kept = 0;
        while (kept < in.rank() && in.dim(kept) == out.dim(kept)) {
            kept++;
        }
        for (int i = kept; i < in.rank(); i++) {
            if (out.dim(i) != 1) {
                return false;
            }
        }
        return true;
    }

    /** Any mix of summed and kept dimensions, on one thread: no op of the suite needs it often. */
    private void general(Tensor in, Tensor out) {
        int[] dims = in.shape().toArray();
        long[] strides = Broadcast.strides(out.shape(), in.shape());
        int count = Math.toIntExact(out.elementCount());
        boolean bf16 = in.dtype() == DType.BF16;
        synchronized (backend.partials) {
            double[] sums = backend.partials.get(count);
            Arrays.fill(sums, 0, count, 0);
            MemorySegment from = in.segment();
            for (long i = 0; i < in.elementCount(); i++) {
                sums[(int) Broadcast.offset(i, dims, strides)] += Floats.get(bf16, from, i);
            }
            for (int i = 0; i < count; i++) {
                Floats.set(bf16, out.segment(), i, (float) sums[i]);
            }
        }
    }
}
