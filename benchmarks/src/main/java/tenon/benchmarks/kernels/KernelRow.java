package tenon.benchmarks.kernels;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tenon.benchmarks.Statistics;
import tenon.benchmarks.floor.Roofline;
import tenon.benchmarks.networks.BenchmarkNetwork;
import tenon.engine.DType;
import tenon.engine.Precision;

/**
 * One measured kernel.
 *
 * @param hot microseconds of a call, per iteration
 * @param cold the same with buffers that no cache holds
 */
record KernelRow(
        BenchmarkNetwork network,
        int batch,
        Precision precision,
        KernelCase kernelCase,
        double[] hot,
        double[] cold,
        Roofline roofline) {
    double hotMicroseconds() {
        return Statistics.median(hot);
    }

    double coldMicroseconds() {
        return Statistics.median(cold);
    }

    double gflops(double microseconds) {
        return 1e-3 * kernelCase.flops() / microseconds;
    }

    double gigabytes(double microseconds) {
        return 1e-3 * kernelCase.bytes() / microseconds;
    }

    /** Whether the kernel's matrix products compute in BF16. */
    private Precision arithmetic() {
        return kernelCase.dtype() == DType.BF16 ? Precision.BF16 : Precision.FP32;
    }

    /** Percentage of what the roofline allows: the slower of the arithmetic at the peak rate and the traffic at the copy bandwidth, over the time. */
    double percentOfRoofline(double microseconds) {
        double arithmetic = kernelCase.flops() == 0 ? 0 : kernelCase.flops() / roofline.flops(arithmetic());
        double traffic = kernelCase.bytes() / roofline.copy();
        return 100 * Math.max(arithmetic, traffic) / (1e-6 * microseconds);
    }

    /** Floating-point operations a byte. */
    double intensity() {
        return (double) kernelCase.flops() / Math.max(1, kernelCase.bytes());
    }

    static String header() {
        return String.format(
                "%9s %9s %8s %7s %6s %6s %5s  %s",
                "hot us", "cold us", "GFLOP/s", "GB/s", "% hot", "% cold", "calls", "kernel, largest tensor");
    }

    String line() {
        return String.format(
                Locale.ROOT,
                "%9.1f %9.1f %8s %7.1f %6.0f %6.0f %5d  %s %s",
                hotMicroseconds(),
                coldMicroseconds(),
                kernelCase.flops() == 0 ? "-" : String.format(Locale.ROOT, "%.0f", gflops(coldMicroseconds())),
                gigabytes(coldMicroseconds()),
                percentOfRoofline(hotMicroseconds()),
                percentOfRoofline(coldMicroseconds()),
                kernelCase.calls(),
                kernelCase.kernel(),
                kernelCase.shape());
    }

    Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("net", network.toString());
        map.put("batch", batch);
        map.put("precision", precision.toString());
        map.put("kernel", kernelCase.kernel().name());
        map.put("shape", kernelCase.key());
        map.put("calls", kernelCase.calls());
        map.put("flops", kernelCase.flops());
        map.put("bytes", kernelCase.bytes());
        map.put("hot_us", hotMicroseconds());
        map.put("cold_us", coldMicroseconds());
        map.put("hot_gflops", gflops(hotMicroseconds()));
        map.put("cold_gflops", gflops(coldMicroseconds()));
        map.put("hot_gb_per_second", gigabytes(hotMicroseconds()));
        map.put("cold_gb_per_second", gigabytes(coldMicroseconds()));
        map.put("hot_percent_of_roofline", percentOfRoofline(hotMicroseconds()));
        map.put("cold_percent_of_roofline", percentOfRoofline(coldMicroseconds()));
        map.put("hot_us_rounds", list(hot));
        map.put("cold_us_rounds", list(cold));
        return map;
    }

    private static List<Double> list(double[] values) {
        return Arrays.stream(values).boxed().toList();
    }
}
