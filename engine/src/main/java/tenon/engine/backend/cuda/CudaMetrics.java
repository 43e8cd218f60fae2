package tenon.engine.backend.cuda;

import static tenon.engine.backend.cuda.Vectors.in;
import static tenon.engine.backend.cuda.Vectors.out;

import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.MetricKernels;
import tenon.engine.backend.OpKind;

/** Reductions of reports, by own kernels. */
final class CudaMetrics implements MetricKernels {
    /** From this row length on, a block computes a row instead of a warp. */
    private static final int LONG_ROW = 2048;

    private final CudaBackend backend;
    private final KernelPair topK;
    private final KernelPair longTopK;

    CudaMetrics(CudaBackend backend) {
        this.backend = backend;
        topK = new KernelPair(backend, "metrics", "top_k");
        longTopK = new KernelPair(backend, "metrics", "long_top_k");
    }

    boolean supports(OpKind op, DType dtype) {
        return dtype == DType.F32 || dtype == DType.BF16;
    }

    @Override
    public void topK(Tensor input, int k, Tensor output) {
        backend.checkDType("top_k", input);
        long rows = input.shape().dim(0);
        int classes = input.shape().dim(1);
        boolean wide = classes >= LONG_ROW;
        Launch launch = backend.launch((wide ? longTopK : topK).of(input.dtype()))
                .address(in(input))
                .address(out(output))
                .int64(rows)
                .int32(classes)
                .int32(k);
        CudaReductions.perRow(launch, wide, rows);
    }
}
