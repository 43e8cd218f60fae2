package tenon.engine.backend.cuda;

/**
 * How blocks of threads cover [rows, channels] where each thread keeps a few neighbouring channels and walks down the rows. It depends on the shape alone, and so do the
 * results of sums.
 *
 * @param lanesLog logarithm of a block's width, in vectors
 * @param columns blocks beside each other
 * @param chunks ranges of rows that are summed up apart
 * @param chunkRows rows of such a range, but the last
 * @param strides blocks below each other for work without sums, where a block takes every so many rows
 */
record RowBlocks(int lanesLog, int columns, int chunks, long chunkRows, int strides) {
    /** Threads of a block, as in the kernels. */
    static final int THREADS = 256;
    /** Channels of a block that merges the chunks. */
    private static final int MERGED = 32;

    private static final int WARP = 32;
    /** Blocks that keep a large GPU busy. */
    private static final int ENOUGH = 1024;

    private static final int MOST_CHUNKS = 256;
    /** Fewest rows per thread that are worth another chunk. */
    private static final int LEAST_ROWS = 4;

    /** @param vector channels that a thread keeps */
    static RowBlocks of(long rows, int channels, int vector) {
        int vectors = channels / vector;
        int lanesLog = Integer.SIZE - Integer.numberOfLeadingZeros(Math.clamp(vectors, 1, WARP) - 1);
        int columns = Math.ceilDiv(vectors, 1 << lanesLog);
        int blockRows = THREADS >> lanesLog;
        int most = Math.clamp(ENOUGH / Math.max(1, columns), 1, MOST_CHUNKS);
        long chunkRows = Math.max(Math.ceilDiv(rows, (long) most), (long) blockRows * LEAST_ROWS);
        int strides =
                (int) Math.min(Math.ceilDiv(rows, (long) blockRows), Math.max(1, 2 * ENOUGH / Math.max(1, columns)));
        return new RowBlocks(lanesLog, columns, (int) Math.ceilDiv(rows, chunkRows), chunkRows, strides);
    }

    /** Blocks that merge the chunks of {@code channels} channels. */
    static int merging(int channels) {
        return Math.ceilDiv(channels, MERGED);
    }
}
