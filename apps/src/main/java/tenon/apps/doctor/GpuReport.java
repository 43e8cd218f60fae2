package tenon.apps.doctor;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tenon.engine.nativelib.CudaInfo;

/**
 * What the doctor says about GPUs.
 *
 * @param json entries of the machine-readable result
 * @param lines for people
 * @param advice what to do; nothing on a machine without an NVIDIA GPU
 * @param usable whether the back-end can be opened
 */
record GpuReport(Map<String, Object> json, List<String> lines, List<String> advice, boolean usable) {
    private static final double GIB = 1L << 30;

    static GpuReport of(CudaInfo info) {
        Map<String, Object> json = new LinkedHashMap<>();
        List<String> lines = new ArrayList<>();
        List<String> advice = new ArrayList<>();
        if (!info.present()) {
            json.put("gpu", List.of());
            lines.add(line("gpu", "none by NVIDIA"));
            return new GpuReport(json, lines, advice, false);
        }
        json.put("gpu", info.gpus().stream().map(GpuReport::json).toList());
        String label = "gpu";
        for (CudaInfo.Gpu gpu : info.gpus()) {
            lines.add(line(
                    label,
                    String.format(
                            Locale.ROOT,
                            "cuda:%d %s, compute capability %s, %.1f GiB",
                            gpu.index(),
                            gpu.name(),
                            gpu.computeCapability(),
                            gpu.memoryBytes() / GIB)));
            label = "";
        }
        if (info.gpus().isEmpty()) {
            lines.add(line("gpu", "by NVIDIA, but its driver does not see it"));
        }
        json.put("cuda_driver", info.driverVersion());
        Map<String, Object> libraries = new LinkedHashMap<>();
        if (!info.driverVersion().isEmpty()) {
            lines.add(line("CUDA", "the driver runs CUDA " + info.driverVersion()));
        }
        for (CudaInfo.Library library : info.libraries()) {
            lines.add(line("", library.part().label() + " " + library.version() + ", " + library.path()));
            libraries.put(
                    library.part().name().toLowerCase(Locale.ROOT),
                    Map.of("version", library.version(), "path", library.path().toString()));
        }
        json.put("cuda_libraries", libraries);
        json.put("cuda_problems", info.problems());
        info.problems().forEach(problem -> advice.add("--device cuda cannot be used: " + problem));
        advice.addAll(info.advice());
        return new GpuReport(json, lines, advice, info.problems().isEmpty());
    }

    private static String line(String label, String text) {
        return String.format("%-12s %s", label, text);
    }

    private static Map<String, Object> json(CudaInfo.Gpu gpu) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("device", "cuda:" + gpu.index());
        json.put("name", gpu.name());
        json.put("compute_capability", gpu.computeCapability());
        json.put("memory_bytes", gpu.memoryBytes());
        return json;
    }
}
