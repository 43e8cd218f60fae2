package tenon.engine.backend.cpu;

/**
 * Settings of the CPU back-end.
 *
 * @param threads OpenMP threads of oneDNN and of the Java kernels
 * @param memoryLimit most bytes held from the system, cached blocks included
 */
public record CpuOptions(int threads, long memoryLimit) {
    public CpuOptions {
        if (threads < 1 || memoryLimit < 1) {
            throw new IllegalArgumentException("cpu: threads and memoryLimit must be at least 1: threads=" + threads
                    + ", memoryLimit=" + memoryLimit);
        }
    }

    /** {@code -Dtenon.threads} or all processors that the container grants; {@code -Dtenon.memory.limit} in bytes or no limit. */
    public static CpuOptions defaults() {
        return new CpuOptions(
                Integer.getInteger("tenon.threads", Runtime.getRuntime().availableProcessors()),
                Long.getLong("tenon.memory.limit", Long.MAX_VALUE));
    }

    public CpuOptions withThreads(int newThreads) {
        return new CpuOptions(newThreads, memoryLimit);
    }
}
