package tenon.engine.backend.cpu;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.Stream;
import tenon.engine.DType;

/**
 * Copies a weight whose layout consists of square blocks, or of rows over one kind of channels, into a layout whose own blocks are made of the rows or
 * columns of such blocks, so that an update makes the copies from what it has just computed. Layouts are recognized by where they put elements. The copy's
 * padding is left as it is.
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
    /** Elements from one row of a block to the next in the weight. */
    private final int pitch;
    /** Bytes from one row of a copied block to the next. */
    private final long stride;
    /** Blocks of a chunk. */
    private final int chunk;
    /**
     * Element offset of each block in the weight: chunk after chunk, each chunk's blocks in the order in which they lie in the copy, because neighbouring lines
     * written one after the other are twice as fast.
     */
    private final int[] sources;
    /** Byte offset of each of them in the copy. */
    private final long[] targets;

    private BlockCopy(
            Move move, DType dtype, int side, int pitch, long stride, int chunk, int[] sources, long[] targets) {
        this.move = move;
        this.dtype = dtype;
        this.side = side;
        this.pitch = pitch;
        this.stride = stride;
        this.chunk = chunk;
        this.sources = sources;
        this.targets = targets;
    }

    /**
     * @param row dimension whose index grows from one row of a block to the next
     * @param column dimension along a row
     */
    private record Blocks(int row, int column, int side, int pitch) {
        /** Null for layouts of another kind. {@code k} is the dimension of output channels, which the input's follows. */
        static Blocks of(BlockedOrder order, int k) {
            long[] inner = order.inner();
            if (inner.length == 2 && inner[0] == inner[1]) {
                int row = (int) order.innerDims()[0];
                int column = (int) order.innerDims()[1];
                boolean isSquare = Math.min(row, column) == k && Math.max(row, column) == k + 1;
                return isSquare ? new Blocks(row, column, (int) inner[0], (int) inner[0]) : null;
            }
            int column = order.strides()[k] == 1 ? k : k + 1;
            int row = 2 * k + 1 - column;
            long pitch = order.strides()[row];
            boolean isPlain = inner.length == 0 && order.strides()[column] == 1 && pitch == order.dims()[column];
            return isPlain ? new Blocks(row, column, BlockLoops.LANES, Math.toIntExact(pitch)) : null;
        }
    }

    /**
     * Null for layouts that are left to oneDNN.
     *
     * @param limit elements of a chunk, unless one row of blocks has more
     */
    static BlockCopy of(WeightLayout source, WeightLayout target, long limit) {
        BlockedOrder from = BlockedOrder.of(source.descriptor());
        int k = from.dims().length - 4;
        Blocks blocks = k < 0 ? null : Blocks.of(from, k);
        if (!VectorApi.isUsed() || Lanes.L < BlockLoops.LANES || blocks == null) {
            return null;
        }
        int side = blocks.side;
        int row = blocks.row;
        int column = blocks.column;
        BlockedOrder to = BlockedOrder.of(target.descriptor());
        if (side % BlockLoops.LANES != 0 || !to.repeats(row, side) || !to.repeats(column, side)) {
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
        Place[] places = places(from, to, k, side, size);
        // Blocks that the weight has next to each other in memory: those of a panel of rows, or of some output
        // channels.
        long panel = blocks.pitch > side ? from.dims()[column] / side : places.length / (from.dims()[k] / side);
        long rows = ROWS / side;
        while (rows > 1 && rows * panel * side * side > limit) {
            rows /= 2;
        }
        int chunk = Math.toIntExact(rows * panel);
        long elements = (long) chunk * side * side;
        Comparator<Place> byChunk = Comparator.comparing(place -> place.source / elements);
        Arrays.sort(places, byChunk.thenComparing(Place::target));
        return new BlockCopy(
                move,
                target.dtype(),
                side,
                blocks.pitch,
                stride * size,
                chunk,
                Stream.of(places).mapToInt(Place::source).toArray(),
                Stream.of(places).mapToLong(Place::target).toArray());
    }

    /** Where a block begins: elements in the source, bytes in the target. */
    private record Place(int source, long target) {}

    private static Place[] places(BlockedOrder from, BlockedOrder to, int k, int side, int byteSize) {
        long[] dims = from.dims();
        long[] steps = new long[dims.length];
        long count = 1;
        for (int i = 0; i < steps.length; i++) {
            steps[i] = i == k || i == k + 1 ? side : 1;
            count *= dims[i] / steps[i];
        }
        Place[] places = new Place[Math.toIntExact(count)];
        for (int block = 0; block < count; block++) {
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
            places[block] = new Place(Math.toIntExact(source), target * byteSize);
        }
        return places;
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
        switch (move) {
            case ROWS -> {
                for (int i = first; i < end; i++) {
                    BlockLoops.rows(zero + sources[i] * byteSize, pitch, side, side, out + targets[i], stride);
                }
            }
            case ZIPPED_ROWS -> {
                for (int i = first; i < end; i++) {
                    BlockLoops.zip(zero + sources[i] * byteSize, pitch, side, side, out + targets[i], stride);
                }
            }
            case COLUMNS -> {
                int width = (int) (side * byteSize / 4);
                for (int i = first; i < end; i++) {
                    BlockLoops.transpose(
                            zero + sources[i] * byteSize, pitch * byteSize, side, width, out + targets[i], stride);
                }
            }
        }
    }
}
