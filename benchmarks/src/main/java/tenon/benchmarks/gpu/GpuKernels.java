package tenon.benchmarks.gpu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tenon.benchmarks.kernels.KernelCase;
import tenon.benchmarks.kernels.KernelRecorder;
import tenon.benchmarks.kernels.KernelReplay;
import tenon.benchmarks.networks.BenchmarkNetwork;
import tenon.engine.backend.cuda.CudaBackend;
import tenon.engine.backend.cuda.CudaOptions;

/** Times every kernel of a training step by itself, beside the least time that its bytes and products take on this GPU. */
final class GpuKernels {
    /**
     * @param calls how often a step makes this call
     * @param seconds of a call
     * @param floor see {@link GpuRoofline#floorSeconds}
     */
    record Row(String kernel, String shape, int calls, long flops, long bytes, double seconds, double floor) {
        static String header() {
            return String.format("%9s %9s %6s %5s  %s", "us", "floor us", "%", "calls", "kernel, largest tensor");
        }

        String line() {
            return String.format(
                    Locale.ROOT,
                    "%9.1f %9.1f %6.0f %5d  %s %s",
                    1e6 * seconds,
                    1e6 * floor,
                    100 * floor / seconds,
                    calls,
                    kernel,
                    shape);
        }

        Map<String, Object> json() {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("kernel", kernel);
            json.put("shape", shape);
            json.put("calls", calls);
            json.put("flops", flops);
            json.put("bytes", bytes);
            json.put("seconds", seconds);
            json.put("floor_seconds", floor);
            return json;
        }
    }

    private GpuKernels() {}

    /** The most expensive first. */
    static List<Row> measure(
            CudaOptions options,
            GpuMode mode,
            BenchmarkNetwork network,
            int batch,
            double seconds,
            GpuRoofline roofline) {
        List<Row> rows = new ArrayList<>();
        try (CudaBackend backend = mode.open(options)) {
            for (KernelCase one : KernelRecorder.record(backend, network, batch, mode.precision())) {
                try (KernelReplay replay = new KernelReplay(one, backend, 1)) {
                    double call = DeviceTimer.secondsPerCall(backend, seconds, replay::run);
                    rows.add(new Row(
                            one.kernel().name(),
                            one.shape(),
                            one.calls(),
                            one.flops(),
                            one.bytes(),
                            call,
                            roofline.floorSeconds(mode, one.flops(), one.bytes())));
                }
            }
        }
        rows.sort((a, b) -> Double.compare(b.calls() * b.seconds(), a.calls() * a.seconds()));
        return rows;
    }
}
