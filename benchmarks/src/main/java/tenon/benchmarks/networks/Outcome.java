package tenon.benchmarks.networks;

import java.util.List;

/**
 * What one process found. Times are medians over its steps, in seconds; 0 where a part does not exist.
 *
 * @param precision {@code fp32} also when bf16 was asked for and the processor has none
 * @param parameters learned ones
 * @param losses of the first steps, without dropout; only with {@link Measurement.Task#LOSSES}
 * @param outsideKernels what of the step is not spent in any of the back-end's kernels: layers, tape, allocator; 0 where nothing listens to them
 * @param peakBytes largest resident memory from the first step on
 * @param kernels the most expensive first, if asked for
 */
record Outcome(
        String precision,
        long parameters,
        List<Double> losses,
        int steps,
        double step,
        double forward,
        double backward,
        double update,
        double outsideKernels,
        long peakBytes,
        List<KernelTime> kernels) {
    /**
     * @param kernel name and shape of its largest tensor
     * @param seconds a step
     * @param calls a step
     * @param gflops a second
     * @param gigabytes a second
     */
    record KernelTime(String kernel, double seconds, double calls, double gflops, double gigabytes) {}

    /** This, with what listening to the kernels found in other steps. */
    Outcome withKernelsOf(Outcome other) {
        return new Outcome(
                precision,
                parameters,
                losses,
                steps,
                step,
                forward,
                backward,
                update,
                other.outsideKernels,
                peakBytes,
                other.kernels);
    }
}
