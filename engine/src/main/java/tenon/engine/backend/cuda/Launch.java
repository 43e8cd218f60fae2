package tenon.engine.backend.cuda;

/**
 * Collects a kernel's arguments in the order of its parameters and starts it on the compute stream. Each thread has its own ({@link CudaBackend#launch}), which it reuses, so a launch makes no garbage.
 */
final class Launch {
    /** Threads of a block in {@link #elements}. */
    static final int THREADS = 256;

    private final CudaBackend backend;

    Launch(CudaBackend backend) {
        this.backend = backend;
    }

    Launch start(Kernel kernel) {
        throw new UnsupportedOperationException(backend.name() + ": Launch.start " + kernel);
    }

    /** A pointer, null where 0. */
    Launch address(long value) {
        return this;
    }

    Launch int64(long value) {
        return this;
    }

    Launch int32(int value) {
        return this;
    }

    Launch float32(float value) {
        return this;
    }

    Launch float64(double value) {
        return this;
    }

    /** Starts enough blocks of {@value #THREADS} threads for {@code count} elements, but no more than the device needs to be full: kernels stride over the grid. Nothing for 0. */
    void elements(long count) {}

    /** Starts a grid of blocks; nothing where a dimension is 0. */
    void grid(int x, int y, int z, int threads) {}
}
