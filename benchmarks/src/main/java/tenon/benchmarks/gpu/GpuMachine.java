package tenon.benchmarks.gpu;

import java.util.LinkedHashMap;
import java.util.Map;
import tenon.benchmarks.Machine;
import tenon.engine.nativelib.CudaInfo;

/** What a figure was measured on: {@link Machine}, and the GPU, its driver and the libraries. */
final class GpuMachine {
    private GpuMachine() {}

    static Map<String, String> describe(int device) {
        Map<String, String> facts = new LinkedHashMap<>(Machine.describe());
        CudaInfo cuda = CudaInfo.read();
        if (device < cuda.gpus().size()) {
            CudaInfo.Gpu gpu = cuda.gpus().get(device);
            facts.put("gpu", gpu.name());
            facts.put("compute_capability", gpu.computeCapability());
            facts.put("gpu_memory", Long.toString(gpu.memoryBytes()));
        }
        facts.put("driver_cuda", cuda.driverVersion());
        cuda.libraries()
                .forEach(library ->
                        facts.put(library.part().name().toLowerCase(java.util.Locale.ROOT), library.version()));
        return facts;
    }
}
