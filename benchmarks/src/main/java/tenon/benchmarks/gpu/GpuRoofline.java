package tenon.benchmarks.gpu;

import java.util.LinkedHashMap;
import java.util.Map;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.cuda.CudaBackend;
import tenon.engine.backend.cuda.CudaOptions;

/**
 * What a GPU reaches: the rate of a large matrix product in each mode, and the bandwidth of a copy within its memory. Kernels are held against these, not against data
 * sheets.
 *
 * @param flops a second, by mode
 * @param bytes a second, read and written
 */
record GpuRoofline(Map<GpuMode, Double> flops, double bytes) {
    private static final double SECONDS = 0.3;

    /** @param matrix rows and columns, @param copied bytes */
    static GpuRoofline measure(CudaOptions options, int matrix, long copied) {
        Map<GpuMode, Double> flops = new LinkedHashMap<>();
        double bytes = 0;
        for (GpuMode mode : GpuMode.values()) {
            try (CudaBackend backend = mode.open(options);
                    var _ = Scope.open("roofline", backend)) {
                DType dtype = mode.precision().dtype();
                Tensor a = Tensor.full(Shape.of(matrix, matrix), dtype, 0.5);
                Tensor b = Tensor.full(Shape.of(matrix, matrix), dtype, 0.25);
                Tensor c = Tensor.empty(Shape.of(matrix, matrix), dtype);
                double seconds =
                        DeviceTimer.secondsPerCall(backend, SECONDS, () -> backend.gemm(false, false, 1, a, b, 0, c));
                flops.put(mode, 2.0 * matrix * matrix * matrix / seconds);
                if (mode == GpuMode.FP32) {
                    Tensor from = Tensor.zeros(Shape.of(Math.toIntExact(copied / 4)), DType.F32);
                    Tensor to = Tensor.empty(from.shape(), DType.F32);
                    bytes = 2.0
                            * from.byteSize()
                            / DeviceTimer.secondsPerCall(backend, SECONDS, () -> backend.copy(from, to));
                }
            }
        }
        return new GpuRoofline(flops, bytes);
    }

    /** The least time in which the GPU could do that much. */
    double floorSeconds(GpuMode mode, long flopCount, long byteCount) {
        return Math.max(flopCount / flops.get(mode), byteCount / bytes);
    }

    Map<String, Object> json() {
        Map<String, Object> json = new LinkedHashMap<>();
        flops.forEach((mode, rate) -> json.put(mode + "_flops_per_second", rate));
        json.put("copy_bytes_per_second", bytes);
        return json;
    }
}
