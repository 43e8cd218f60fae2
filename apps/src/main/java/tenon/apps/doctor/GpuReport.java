package tenon.apps.doctor;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import tenon.engine.backend.cuda.CudaBackend;
import tenon.engine.nativelib.CudaInfo;
import tenon.engine.nativelib.CudaPart;

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
            lines.add(line("", text(library)));
            libraries.put(
                    library.part().name().toLowerCase(Locale.ROOT),
                    Map.of("version", library.version(), "path", library.path().toString()));
        }
        json.put("cuda_libraries", libraries);
        if (info.gpus().size() > 1) {
            together(info, json, lines);
        }
        json.put("cuda_problems", info.problems());
        info.problems().forEach(problem -> advice.add("--device cuda cannot be used: " + problem));
        advice.addAll(info.advice());
        return new GpuReport(json, lines, advice, info.problems().isEmpty());
    }

    private static String text(CudaInfo.Library library) {
        return library.part().label() + " " + library.version() + ", " + library.path();
    }

    /** What several GPUs do together. */
    private static void together(CudaInfo info, Map<String, Object> json, List<String> lines) {
        String label = "together";
        for (CudaInfo.Gpu gpu : info.gpus()) {
            String others = gpu.reaches().stream().map(other -> "cuda:" + other).collect(Collectors.joining(", "));
            lines.add(line(
                    label,
                    "cuda:" + gpu.index() + " reaches the memory of " + (others.isEmpty() ? "no other GPU" : others)));
            label = "";
        }
        Optional<CudaInfo.Library> nccl = info.library(CudaPart.NCCL);
        String way = CudaBackend.collectives(nccl.isPresent());
        lines.add(line(
                "",
                "gradients would be summed through " + way
                        + nccl.map(found -> "; found: " + text(found)).orElse("; NCCL was not found")));
        json.put("gpu_collectives", way);
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
        json.put("reaches", gpu.reaches().stream().map(other -> "cuda:" + other).toList());
        return json;
    }
}
