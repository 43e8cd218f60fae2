package tenon.benchmarks.gpu;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Staging;
import tenon.engine.backend.cuda.CudaBackend;
import tenon.engine.backend.cuda.CudaOptions;

/**
 * How much of an upload from pinned host memory hides behind matrix products of about the same length.
 *
 * @param copySeconds the upload alone
 * @param computeSeconds the products alone
 * @param bothSeconds both, started together
 */
record CopyOverlap(double copySeconds, double computeSeconds, double bothSeconds, long bytes) {
    private static final int ROUNDS = 5;
    private static final int MOST_PRODUCTS = 1000;

    static CopyOverlap measure(CudaOptions options, int matrix, long copied) {
        try (CudaBackend backend = GpuMode.FP32.open(options);
                var _ = Scope.open("overlap", backend)) {
            Staging staging = backend.staging();
            Tensor to = Tensor.empty(Shape.of(Math.toIntExact(copied / 4)), DType.F32);
            MemorySegment from = staging.hostBuffer(to.byteSize());
            Tensor a = Tensor.full(Shape.of(matrix, matrix), DType.F32, 0.5);
            Tensor b = Tensor.full(Shape.of(matrix, matrix), DType.F32, 0.25);
            Tensor c = Tensor.empty(Shape.of(matrix, matrix), DType.F32);
            try (Staging.Transfer transfer = staging.transfer()) {
                Runnable copy = () -> {
                    transfer.upload(from, to, null);
                    transfer.awaitOnHost();
                };
                double copySeconds = best(backend, copy);
                double product =
                        DeviceTimer.secondsPerCall(backend, 0.1, () -> backend.gemm(false, false, 1, a, b, 0, c));
                int products = Math.clamp(Math.round(copySeconds / product), 1, MOST_PRODUCTS);
                Runnable compute = () -> {
                    for (int i = 0; i < products; i++) {
                        backend.gemm(false, false, 1, a, b, 0, c);
                    }
                };
                double computeSeconds = best(backend, compute);
                double bothSeconds = best(backend, () -> {
                    transfer.upload(from, to, null);
                    compute.run();
                    transfer.awaitOnHost();
                });
                return new CopyOverlap(copySeconds, computeSeconds, bothSeconds, to.byteSize());
            } finally {
                backend.synchronize();
                staging.free(from);
            }
        }
    }

    private static double best(CudaBackend backend, Runnable work) {
        double best = Double.POSITIVE_INFINITY;
        for (int i = 0; i < ROUNDS; i++) {
            backend.synchronize();
            long start = System.nanoTime();
            work.run();
            backend.synchronize();
            best = Math.min(best, 1e-9 * (System.nanoTime() - start));
        }
        return best;
    }

    /** 1 where the shorter of the two costs nothing, 0 where they run one after the other. */
    double hidden() {
        return Math.clamp((copySeconds + computeSeconds - bothSeconds) / Math.min(copySeconds, computeSeconds), 0, 1);
    }

    Map<String, Object> json() {
        return Map.of(
                "bytes", bytes,
                "copy_seconds", copySeconds,
                "compute_seconds", computeSeconds,
                "both_seconds", bothSeconds,
                "hidden", hidden());
    }
}
