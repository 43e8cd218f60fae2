package tenon.benchmarks.floor;

import static org.bytedeco.dnnl.global.dnnl.*;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import tenon.benchmarks.Statistics;
import tenon.benchmarks.floor.OneDnn.Argument;
import tenon.engine.DType;
import tenon.engine.Precision;
import tenon.engine.Scope;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.cpu.CpuBackend;

/**
 * What the machine can do at most (Williams et al. 2009, "Roofline"), medians of repeated measurements with all threads.
 *
 * @param fp32 floating-point operations per second of a large F32 matrix product
 * @param bf16 the same with BF16 factors, 0 where the processor has no such instructions
 * @param copy bytes read and written per second when copying between buffers that no cache holds
 * @param read bytes per second when reading such a buffer
 * @param l2Copy as {@code copy}, each thread between two buffers of 128 KiB
 * @param l2Read as {@code read}, each thread in a buffer of 128 KiB
 */
public record Roofline(int threads, double fp32, double bf16, double copy, double read, double l2Copy, double l2Read) {
    private static final int[] SIDES = {1024, 2048, 4096};
    private static final int REPEATS = 9;
    /** Bytes of a thread's buffers: beyond any cache, and two of them in half of an L2 of 512 KiB. */
    private static final int LARGE = 256 << 20;

    private static final int SMALL = 128 << 10;

    /** Takes some seconds. */
    public static Roofline measure(int threads) {
        double fp32 = gemm(DType.F32, threads);
        double bf16 = hasBf16(threads) ? gemm(DType.BF16, threads) : 0;
        try (Bandwidth large = new Bandwidth(threads, LARGE);
                Bandwidth small = new Bandwidth(threads, SMALL)) {
            return new Roofline(threads, fp32, bf16, large.copy(1), large.read(1), small.copy(1000), small.read(1000));
        }
    }

    private static boolean hasBf16(int threads) {
        try (CpuBackend backend = CpuBackend.open(threads)) {
            return Precision.BF16.availableOn(backend);
        }
    }

    /** Best of some square sizes, the right factor in the layout that oneDNN likes. */
    private static double gemm(DType type, int threads) {
        double best = 0;
        for (int side : SIDES) {
            best = Math.max(best, gemm(type, side, threads));
        }
        return best;
    }

    private static double gemm(DType type, int side, int threads) {
        try (CpuBackend backend = CpuBackend.open(threads);
                var _ = Scope.open("roofline", backend);
                OneDnn dnnl = new OneDnn(threads)) {
            Buffers buffers = new Buffers(backend);
            dnnl_memory_desc matrix = dnnl.plain(type, side, side);
            dnnl_primitive_desc descriptor = new dnnl_primitive_desc();
            dnnl.created(
                    dnnl_matmul_primitive_desc_create(
                            descriptor, dnnl.engine, matrix, dnnl.any(type, side, side), null, matrix, dnnl.attributes),
                    "dnnl_matmul_primitive_desc_create",
                    descriptor);
            dnnl_memory_desc noiseLayout = dnnl.plain(DType.F32, side, side);
            Primitive product = dnnl.primitive(
                    descriptor,
                    List.of(
                            noise(dnnl, buffers, side, noiseLayout, descriptor, DNNL_ARG_SRC),
                            noise(dnnl, buffers, side, noiseLayout, descriptor, DNNL_ARG_WEIGHTS),
                            noise(dnnl, buffers, side, noiseLayout, descriptor, DNNL_ARG_DST)));
            dnnl.useScratchpad(buffers.bytes(dnnl.scratchpadBytes()).address());
            int calls = Math.max(1, 2048 * 2048 / side / side);
            return 2.0 * side * side * side / medianSeconds(calls, product::run);
        }
    }

    private static Argument noise(
            OneDnn dnnl, Buffers buffers, int side, dnnl_memory_desc from, dnnl_primitive_desc descriptor, int kind) {
        dnnl_memory_desc to = OneDnn.layout(descriptor, kind);
        Tensor noise = buffers.noise((long) side * side, 1);
        Tensor matrix = buffers.bytes(OneDnn.byteSize(to));
        dnnl.reorder(from, noise.address(), to, matrix.address()).run();
        noise.close();
        return Argument.of(kind, matrix);
    }

    /** Of one call, in batches of {@code calls}, after one batch untimed. */
    static double medianSeconds(int calls, Runnable body) {
        double[] nanos = new double[REPEATS];
        for (int i = -1; i < REPEATS; i++) {
            long before = System.nanoTime();
            for (int j = 0; j < calls; j++) {
                body.run();
            }
            if (i >= 0) {
                nanos[i] = System.nanoTime() - before;
            }
        }
        return 1e-9 * Statistics.median(nanos) / calls;
    }

    /** Of matrix products. */
    public double flops(Precision precision) {
        double rate = precision == Precision.BF16 ? bf16 : fp32;
        if (rate == 0) {
            throw new TenonException("roofline: this processor has no instructions for " + precision);
        }
        return rate;
    }

    /** For {@code --json}: GFLOP/s and GB/s. */
    public Map<String, Object> json() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("threads", threads);
        json.put("gemm_fp32_gflops", 1e-9 * fp32);
        json.put("gemm_bf16_gflops", 1e-9 * bf16);
        json.put("copy_gb_per_second", 1e-9 * copy);
        json.put("read_gb_per_second", 1e-9 * read);
        json.put("l2_copy_gb_per_second", 1e-9 * l2Copy);
        json.put("l2_read_gb_per_second", 1e-9 * l2Read);
        return json;
    }
}
