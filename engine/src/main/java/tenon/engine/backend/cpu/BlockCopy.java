package tenon.engine.backend.cpu;

import java.util.Comparator;
import java.util.stream.IntStream;
import tenon.engine.DType;

/**
 * Copies a weight whose layout consists of square blocks into a layout whose own blocks are made of the rows or columns of those, so that an update
 * makes the copies from what it has just computed. Layouts are recognized by where they put elements. The copy's padding is left as it is.
 */
final class BlockCopy {
    /** What becomes of a block's rows; BF16 elements move in pairs. */
    private enum Move {
        ROWS,
        ZIPPED_ROWS,
        COLUMNS
    }

    /** Output channels of a chunk: as many as oneDNN's blocks have at most. */
    private static final int ROWS = 64;

    private final Move move;
    private final DType dtype;
    private final int side;
    /** Bytes from one row of a copied block to the next. */
    private final long stride;
    /** Blocks of a chunk. */
    private final int chunk;
    /** The blocks of each chunk in the order in which they lie in the copy: neighbouring lines written one after the other are twice as fast. */
    private final int[] order;
    /** Byte offset of each of them in the copy. */
    private final long[] targets;

    private BlockCopy(Move move, DType dtype, int side, long stride, int chunk, int[] order, long[] targets) {
        this.move = move;
        this.dtype = dtype;
        this.side = side;
        this.stride = stride;
        this.chunk = chunk;
        this.order = order;
        this.targets = targets;
    }

    /**
     * Null for layouts that are left to oneDNN.
     *
     * @param limit elements of a chunk, unless one row of blocks has more
     */
    static BlockCopy of(WeightLayout source, WeightLayout target, long limit) {
        BlockedOrder from = BlockedOrder.of(source.descriptor());
        long[] inner = from.inner();
        int k = from.dims().length - 4;
        if (!VectorApi.isUsed() || Lanes.L < BlockLoops.LANES || k < 0 || inner.length != 2 || inner[0] != inner[1]) {
            return null;
        }
        int side = (int) inner[0];
        int row = (int) from.innerDims()[0];
        int column = (int) from.innerDims()[1];
        BlockedOrder to = BlockedOrder.of(target.descriptor());
        if (side % BlockLoops.LANES != 0
                || Math.min(row, column) != k
                || Math.max(row, column) != k + 1
                || !to.repeats(row, side)
                || !to.repeats(column, side)) {
            return null;
        }
        int group = target.dtype() == DType.BF16 ? 2 : 1;
        Move move;
        long stride;
        if (to.isStrided(column, side, 1, group) && to.isStrided(row, side, group, to.offset(row, group))) {
            move = group == 2 ? Move.ZIPPED_ROWS : Move.ROWS;
            stride = to.offset(row, group);
        } else if (to.isStrided(row, side, 1, group) && to.isStrided(column, side, group, to.offset(column, group))) {
            move = Move.COLUMNS;
            stride = to.offset(column, group);
        } else {
            return null;
        }
        int size = target.dtype().byteSize();
        long[] targets = targets(from, to, k, side, size);
        long rowOfBlocks = targets.length / (from.dims()[k] / side);
        long rows = ROWS / side;
        while (rows > 1 && rows * rowOfBlocks * side * side > limit) {
            rows /= 2;
        }
        int chunk = Math.toIntExact(rows * rowOfBlocks);
        int[] order = order(targets, chunk);
        long[] sorted = IntStream.of(order).mapToLong(block -> targets[block]).toArray();
        return new BlockCopy(move, target.dtype(), side, stride * size, chunk, order, sorted);
    }

    private static int[] order(long[] targets, int chunk) {
        Comparator<Integer> byChunk = Comparator.comparing(block -> block / chunk);
        return IntStream.range(0, targets.length)
                .boxed()
                .sorted(byChunk.thenComparing(block -> targets[block]))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /** Byte offset in the target of each block of the source. */
    private static long[] targets(BlockedOrder from, BlockedOrder to, int k, int side, int byteSize) {
        long[] dims = from.dims();
        long[] steps = new long[dims.length];
        long count = 1;
        for (int i = 0; i < steps.length; i++) {
            steps[i] = i == k || i == k + 1 ? side : 1;
            count *= dims[i] / steps[i];
        }
        long[] targets = new long[Math.toIntExact(count)];
        for (long block = 0; block < count; block++) {
            long rest = block;
            long source = 0;
            long target = 0;
            for (int i = 0; i < dims.length; i++) {
                long blocks = dims[i] / steps[i];
                long index = rest % blocks * steps[i];
                rest /= blocks;
                source += from.offset(i, index);
                target += to.offset(i, index);
            }
            targets[Math.toIntExact(source / (side * side))] = target * byteSize;
        }
        return targets;
    }

    DType dtype() {
        return dtype;
    }

    /** Elements that are copied together. */
    long chunk() {
        return (long) chunk * side * side;
    }

    /**
     * Copies the elements [from, to) of the weight, a chunk or the rest that fills none.
     *
     * @param in address of the weight's elements in its own order, but in the copy's dtype
     * @param start which of them is the first at {@code in}
     * @param out address of the copy
     */
    void run(long in, long start, long out, long from, long to) {
        int area = side * side;
        int first = (int) (from / area);
        int end = (int) (to / area);
        long byteSize = dtype.byteSize();
        long zero = in - start * byteSize;
        long block = area * byteSize;
        switch (move) {
            case ROWS -> {
                for (int i = first; i < end; i++) {
                    BlockLoops.rows(zero + order[i] * block, side, side, out + targets[i], stride);
                }
            }
            case ZIPPED_ROWS -> {
                for (int i = first; i < end; i++) {
                    BlockLoops.zip(zero + order[i] * block, side, side, out + targets[i], stride);
                }
            }
            case COLUMNS -> {
                int width = (int) (side * byteSize / 4);
                for (int i = first; i < end; i++) {
                    BlockLoops.transpose(zero + order[i] * block, side, width, out + targets[i], stride);
                }
            }
        }
    }
}
