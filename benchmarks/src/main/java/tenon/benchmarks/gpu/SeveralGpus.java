package tenon.benchmarks.gpu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tenon.apps.cli.Console;
import tenon.benchmarks.networks.BenchmarkNetwork;
import tenon.engine.backend.cuda.CudaBackend;
import tenon.engine.backend.cuda.CudaOptions;

/** What all GPUs of the machine do together: sums of gradients, and training steps of one network. */
final class SeveralGpus {
    private static final long[] BYTES = {1L << 20, 8L << 20, 25L << 20, 128L << 20};

    private SeveralGpus() {}

    /** @param scale divides the sizes of sums */
    static List<Map<String, Object>> sums(CudaOptions options, int gpus, int scale, Console console) {
        long[] sizes = new long[BYTES.length];
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = Math.max(Float.BYTES, BYTES[i] / scale / scale / Float.BYTES * Float.BYTES);
        }
        List<CudaBackend> devices = new ArrayList<>();
        try {
            open(options, GpuMode.FP32, gpus, devices);
            List<AllReduce> rows = AllReduce.measure(devices, sizes);
            for (AllReduce row : rows) {
                console.print(
                        "sum over %d GPUs through %s: %d bytes in %.3f ms, algbw %.1f GB/s, busbw %.1f GB/s",
                        row.devices(),
                        row.way(),
                        row.bytes(),
                        1e3 * row.seconds(),
                        1e-9 * row.algorithmBandwidth(),
                        1e-9 * row.busBandwidth());
            }
            return rows.stream().map(AllReduce::json).toList();
        } finally {
            devices.forEach(CudaBackend::close);
        }
    }

    /** Steps on 1, 2, … of the GPUs, each with a batch of its own (weak scaling). */
    static List<Map<String, Object>> scaling(
            CudaOptions options,
            GpuMode mode,
            BenchmarkNetwork network,
            int batch,
            int gpus,
            double seconds,
            Console console) {
        List<Map<String, Object>> rows = new ArrayList<>();
        double alone = 0;
        for (int count = 1; count <= gpus; count++) {
            List<CudaBackend> devices = new ArrayList<>();
            try {
                open(options, mode, count, devices);
                double step = GpuTraining.measureTogether(devices, mode, network, batch, seconds)
                        .best();
                alone = count == 1 ? step : alone;
                console.print(
                        "%s %s batch %d on %d GPUs: %.0f images/s, %.0f %% of as many alone",
                        network, mode, batch, count, count * batch / step, 100 * alone / step);
                Map<String, Object> row = new LinkedHashMap<>();
                row.put("net", network.toString());
                row.put("mode", mode.toString());
                row.put("batch", batch);
                row.put("devices", count);
                row.put("step_seconds", step);
                row.put("images_per_second", count * batch / step);
                row.put("efficiency", alone / step);
                rows.add(row);
            } finally {
                devices.forEach(CudaBackend::close);
            }
        }
        return rows;
    }

    private static void open(CudaOptions options, GpuMode mode, int count, List<CudaBackend> opened) {
        for (int device = 0; device < count; device++) {
            opened.add(mode.open(options.withDevice(device)));
        }
    }
}
