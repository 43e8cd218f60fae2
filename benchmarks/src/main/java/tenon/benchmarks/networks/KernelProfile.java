package tenon.benchmarks.networks;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tenon.benchmarks.networks.Outcome.KernelTime;
import tenon.engine.trace.KernelCall;
import tenon.engine.trace.KernelListener;

/** Adds up the time in kernels, by kernel and shape of the largest tensor if wanted. */
final class KernelProfile implements KernelListener {
    private static final class Sum {
        long calls;
        long nanos;
        long flops;
        long bytes;
    }

    private final boolean detailed;
    private final Map<String, Sum> sums = new LinkedHashMap<>();
    private long nanos;

    KernelProfile(boolean detailed) {
        this.detailed = detailed;
    }

    @Override
    public void ran(KernelCall call) {
        nanos += call.nanos();
        if (detailed) {
            var largest = call.largest();
            Sum sum = sums.computeIfAbsent(call.kernel() + " " + largest.dtype() + largest.shape(), _ -> new Sum());
            sum.calls++;
            sum.nanos += call.nanos();
            sum.flops += call.flops();
            sum.bytes += call.bytes();
        }
    }

    /** Nanoseconds in kernels since the beginning. */
    long nanos() {
        return nanos;
    }

    void reset() {
        sums.clear();
    }

    /** Since {@link #reset}, the most expensive first. */
    List<KernelTime> perStep(int steps) {
        List<KernelTime> times = new ArrayList<>();
        sums.forEach((kernel, sum) -> times.add(new KernelTime(
                kernel,
                1e-9 * sum.nanos / steps,
                (double) sum.calls / steps,
                (double) sum.flops / sum.nanos,
                (double) sum.bytes / sum.nanos)));
        times.sort((a, b) -> Double.compare(b.seconds(), a.seconds()));
        return times;
    }
}
