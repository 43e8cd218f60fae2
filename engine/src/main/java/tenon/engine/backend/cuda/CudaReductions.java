package tenon.engine.backend.cuda;

import static tenon.engine.backend.cuda.Vectors.in;
import static tenon.engine.backend.cuda.Vectors.out;

import tenon.engine.DType;
import tenon.engine.Tensor;

/** Sums in two passes whose order depends on the shapes alone. */
final class CudaReductions {
    private static final String FILE = "reduction";
    private static final int THREADS = 256;
    /** Most blocks of a first pass over all elements. */
    private static final int MOST_PARTS = 1024;
    /** Vectors per thread that are worth a block. */
    private static final int VECTORS = 4;
    /** Blocks of a first pass over columns, and most parts that a column is cut into. */
    private static final int COLUMN_BLOCKS = 512;

    private static final int MOST_STRIPES = 256;
    /** From this row length on, a block sums a row instead of a warp. */
    private static final long LONG_ROW = 4096;

    private final CudaBackend backend;
    private final KernelPair sumParts;
    private final KernelPair total;
    private final KernelPair columnParts;
    private final KernelPair preluParts;
    private final KernelPair columnTotals;
    private final KernelPair rowSums;
    private final KernelPair longRowSums;
    private final KernelPair sumDimensions;
    /** For any number of columns. */
    private final Kernel[] scalarParts = new Kernel[4];

    CudaReductions(CudaBackend backend) {
        this.backend = backend;
        sumParts = new KernelPair(backend, FILE, "sum_parts");
        total = new KernelPair(backend, FILE, "total");
        columnParts = new KernelPair(backend, FILE, "column_parts");
        preluParts = new KernelPair(backend, FILE, "prelu_parts");
        columnTotals = new KernelPair(backend, FILE, "column_totals");
        rowSums = new KernelPair(backend, FILE, "row_sums");
        longRowSums = new KernelPair(backend, FILE, "long_row_sums");
        sumDimensions = new KernelPair(backend, FILE, "sum_dimensions");
    }

    /** See {@link tenon.engine.backend.Backend#sumTo}. */
    void sumTo(Tensor in, Tensor out) {
        long count = in.elementCount();
        if (count == 0) {
            backend.fill(out, 0);
            return;
        }
        Dimensions dimensions = Dimensions.ofSum(in.shape(), out.shape());
        boolean innermostSummed = dimensions.summed(0);
        if (dimensions.isNothingSummed()) {
            if (!in.sharesMemoryWith(out)) {
                backend.copy(in, out);
            }
        } else if (dimensions.count() == 1) {
            sum(in, out);
        } else if (dimensions.count() == 2 && innermostSummed) {
            rows(in, out, dimensions.size(1), dimensions.size(0));
        } else if (dimensions.count() == 2 && dimensions.size(0) <= Integer.MAX_VALUE) {
            columnSums(in(in), in.dtype(), dimensions.size(1), (int) dimensions.size(0), out(out), out.dtype());
        } else {
            general(in, out, dimensions);
        }
    }

    /** Blocks of the first pass over {@code count} elements. */
    static int parts(long count, DType dtype) {
        long perBlock = (long) THREADS * VECTORS * Vectors.width(dtype);
        return Math.clamp((count + perBlock - 1) / perBlock, 1, MOST_PARTS);
    }

    private void sum(Tensor in, Tensor out) {
        long count = in.elementCount();
        int parts = parts(count, in.dtype());
        synchronized (backend.lock) {
            long partial = backend.scratch.get((long) parts * Double.BYTES);
            backend.launch(sumParts.of(in.dtype()))
                    .address(in(in))
                    .address(partial)
                    .int64(count)
                    .grid(parts, 1, 1, THREADS);
            total(partial, parts, 1, out);
        }
    }

    /** Queues out = (sum of F64 parts) / divisor. */
    void total(long partial, int parts, double divisor, Tensor out) {
        backend.launch(total.of(out.dtype()))
                .address(partial)
                .int64(parts)
                .float64(divisor)
                .address(out(out))
                .grid(1, 1, 1, THREADS);
    }

    /** Sums of the columns of a row-major matrix: the gradient of a bias, for one. Uses the scratch memory. */
    void columnSums(long matrix, DType dtype, long rows, int columns, long sums, DType sumsType) {
        columns(false, matrix, 0, dtype, rows, columns, sums, sumsType);
    }

    /** gradSlope[c] = Σ x·g over the rows where x is not above 0. */
    void preluSlopes(Tensor input, Tensor gradOutput, Tensor gradSlope) {
        int columns = input.shape().dim(-1);
        if (input.elementCount() == 0) {
            backend.fill(gradSlope, 0);
            return;
        }
        columns(
                true,
                in(input),
                in(gradOutput),
                input.dtype(),
                input.elementCount() / columns,
                columns,
                out(gradSlope),
                DType.F32);
    }

    private void columns(
            boolean prelu, long x, long g, DType dtype, long rows, int columns, long sums, DType sumsType) {
        int width = Vectors.width(dtype);
        boolean vectors = columns % width == 0 && (x | g) % Vectors.BYTES == 0;
        int across = vectors ? columns / width : columns;
        int lanes = Math.min(32, Integer.highestOneBit(Math.max(1, 2 * across - 1)));
        int tiles = (across + lanes - 1) / lanes;
        long passes = (rows * lanes + THREADS - 1) / THREADS;
        int most = Math.clamp(COLUMN_BLOCKS / tiles, 1, MOST_STRIPES);
        int stripes = Math.clamp((passes + 2 * VECTORS - 1) / (2 * VECTORS), 1, most);
        KernelPair pair = prelu ? preluParts : columnParts;
        synchronized (backend.lock) {
            long partial = backend.scratch.get((long) stripes * columns * Double.BYTES);
            Launch launch = backend.launch(vectors ? pair.of(dtype) : scalarParts(prelu, dtype))
                    .address(x);
            if (prelu) {
                launch.address(g);
            }
            launch.int64(rows).int32(columns).int32(lanes).address(partial).grid(tiles, stripes, 1, THREADS);
            backend.launch(columnTotals.of(sumsType))
                    .address(partial)
                    .int32(stripes)
                    .int32(columns)
                    .address(sums)
                    .grid(Math.ceilDiv(columns, 32), 1, 1, THREADS);
        }
    }

    private Kernel scalarParts(boolean prelu, DType dtype) {
        int index = (prelu ? 2 : 0) + (dtype == DType.BF16 ? 1 : 0);
        if (scalarParts[index] == null) {
            scalarParts[index] = backend.kernels.get(
                    FILE, (prelu ? "prelu" : "column") + "_parts_" + (dtype == DType.BF16 ? "bf16" : "f32") + "_1");
        }
        return scalarParts[index];
    }

    private void rows(Tensor in, Tensor out, long rows, long width) {
        boolean wide = width >= LONG_ROW;
        Launch launch = backend.launch((wide ? longRowSums : rowSums).of(in.dtype()))
                .address(in(in))
                .int64(rows)
                .int64(width)
                .address(out(out));
        perRow(launch, wide, rows);
    }

    /** Starts a kernel that gives a warp, or a block, to each row. */
    static void perRow(Launch launch, boolean block, long rows) {
        launch.elements(rows * (block ? Launch.THREADS : 32));
    }

    private void general(Tensor in, Tensor out, Dimensions dimensions) {
        long outputs = out.elementCount();
        Launch launch = backend.launch(sumDimensions.of(in.dtype()))
                .address(in(in))
                .address(out(out))
                .int64(outputs)
                .int64(in.elementCount() / outputs)
                .int32(dimensions.summedBits());
        for (int d = 0; d < Dimensions.MOST; d++) {
            launch.int64(dimensions.size(d));
        }
        perRow(launch, false, outputs);
    }
}
