package tenon.benchmarks.networks;

import tenon.engine.Precision;

/**
 * What one process measures.
 *
 * @param task losses of a few steps, the time of many, or that of the primitives alone
 * @param profile whether Tenon's kernels are listed one by one
 */
record Measurement(
        Task task,
        Engine engine,
        BenchmarkNetwork network,
        int batch,
        Precision precision,
        Mode mode,
        int threads,
        Budget budget,
        boolean profile) {
    enum Task {
        LOSSES,
        TIME,
        /** oneDNN's primitives of the training step, chained. */
        FLOOR
    }
}
