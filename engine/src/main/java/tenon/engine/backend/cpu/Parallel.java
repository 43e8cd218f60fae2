package tenon.engine.backend.cpu;

/**
 * Splits index ranges over a fixed number of threads, the caller being one of them. The split depends on the count, the grain and the thread
 * count only, so equal calls compute equal bits.
 */
abstract class Parallel implements AutoCloseable {
    /** Work on the indices [from, to). */
    @FunctionalInterface
    interface Range {
        void run(long from, long to);
    }

    /** Work on part {@code part} of a job. */
    @FunctionalInterface
    interface Part {
        void run(int part);
    }

    /** Boundaries between ranges are multiples of this, so two threads do not write the same cache line of floats. */
    private static final long ALIGN = 64;

    private final int threads;

    Parallel(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("parallel: threads must be at least 1: threads=" + threads);
        }
        this.threads = threads;
    }

    static Parallel open(int threads, OpenMp openMp) {
        return openMp.hasParallel() ? new OpenMpParallel(threads, openMp) : new PoolParallel(threads);
    }

    final int threads() {
        return threads;
    }

    /**
     * Runs {@code body} over [0, count) in at most {@code threads} contiguous ranges of at least {@code grain} indices.
     *
     * @param grain fewest indices that are worth a second thread
     */
    final void range(long count, long grain, Range body) {
        range(count, grain, count >= ALIGN * threads ? ALIGN : 1, body);
    }

    /** As {@link #range(long, long, Range)}, with boundaries at multiples of {@code align}. */
    final void range(long count, long grain, long align, Range body) {
        int parts = (int) Math.min(threads, Math.max(1, count / Math.max(1, grain)));
        if (parts <= 1) {
            if (count > 0) {
                body.run(0, count);
            }
            return;
        }
        long size = (((count + parts - 1) / parts) + align - 1) / align * align;
        parts(parts, part -> {
            long from = part * size;
            long to = Math.min(count, from + size);
            if (from < to) {
                body.run(from, to);
            }
        });
    }

    /** Runs parts 0 … count − 1, whichever number of threads there is; an exception of any part is thrown here after all have ended. */
    final void parts(int count, Part body) {
        if (threads == 1 || count == 1) {
            for (int part = 0; part < count; part++) {
                body.run(part);
            }
        } else {
            runParts(count, body);
        }
    }

    abstract void runParts(int count, Part body);

    @Override
    public abstract void close();
}
