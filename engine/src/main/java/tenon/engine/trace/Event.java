package tenon.engine.trace;

import tenon.engine.Context;
import tenon.engine.Tensor;

/**
 * What is kept of a {@link KernelCall}: nothing that refers to its tensors.
 *
 * @param layer dotted name, empty outside layers
 * @param tensor dtype and shape of the largest argument
 * @param gflops a second, 0 for kernels that memory traffic bounds
 * @param gigabytes a second
 * @param liveBytes that tensors held when it ended
 */
record Event(
        String kernel,
        Phase phase,
        String layer,
        String tensor,
        long startNanos,
        long nanos,
        double gflops,
        double gigabytes,
        long liveBytes) {
    static Event of(KernelCall call) {
        Tensor largest = call.largest();
        return new Event(
                call.kernel().name(),
                Phase.of(call),
                Context.get().path(),
                largest.dtype() + largest.shape().toString(),
                call.startNanos(),
                call.nanos(),
                call.gflopsPerSecond(),
                call.gigabytesPerSecond(),
                largest.backend().allocator().statistics().liveBytes());
    }
}
